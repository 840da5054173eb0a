"""Who sees what: nobody without a login, nobody a campaign of a DAG that they may not see."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from genesys_cloud.ledger import audit, suppressions
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.live.asked import posted
from tests.ledger.planted import CAMPAIGN, NOW
from tests.live.conftest import NORTH, SPRING
from tests.live.site import Site, run, visitor

PAGES = (
    "/",
    "/?search=spring",
    "/campaigns/spring",
    "/campaigns/spring/pause",
    "/campaigns/spring/failures?kind=rejected&reason=rejected_by_genesys",
    "/messages",
    "/messages?q=%2B12025550001",
    "/preview?dag_id=send_campaign&run_id=manual__1",
)


def test_every_route_asks_who_is_there_and_every_post_whose_page_it_was(site: Site) -> None:
    routes = site.app.routes
    pages = [route for route in routes if isinstance(route, APIRoute)]
    assert {type(route) for route in routes} <= {APIRoute, Mount}
    assert [route.path for route in routes if isinstance(route, Mount)] == ["/static"]
    assert len({route.path for route in pages}) >= 6
    for route in pages:
        guards = [one.call for above in route.dependant.dependencies for one in above.dependencies]
        assert visitor in guards, route.path
        if route.methods - {"GET", "HEAD"}:
            assert posted in [one.call for one in route.dependant.dependencies], route.path


@pytest.mark.parametrize("path", PAGES)
def test_without_a_login_there_is_no_data(site: Site, path: str) -> None:
    answer = site.get(path, person=None)
    assert answer.status_code == 401
    assert "You are not logged in to Airflow" in answer.text
    assert 'href="/airflow/"' in answer.text  # Airflow itself then asks who it is
    assert not any(word in answer.text for word in ("spring", "northern", "…01"))


def test_a_part_that_refreshes_says_that_the_login_has_ended(site: Site) -> None:
    answer = site.get("/", person=None, **{"HX-Request": "true"})
    assert answer.status_code == 401
    assert "You are not logged in" in answer.text
    assert "<html" not in answer.text


def test_static_files_need_no_login_and_are_what_they_seem(site: Site) -> None:
    for name, kind in (("live.css", "text/css"), ("htmx.min.js", "javascript")):
        answer = site.get(f"/static/{name}", person=None)
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert site.get("/static/..%2fapp.py", person=None).status_code == 404
    assert site.get("/static/nothing.js", person=None).status_code == 404


def test_who_sees_one_dag_sees_its_campaigns_alone(site: Site) -> None:
    assert "northern" in site.get("/").text
    assert "spring" in site.get("/").text
    listed = site.get("/", "north").text
    assert "northern" in listed
    assert "spring" not in listed
    assert "There is no campaign that you may see" in site.get("/", "stranger").text


@pytest.mark.parametrize("path", [path for path in PAGES if "spring" in path and "?s" not in path])
def test_a_campaign_out_of_sight_does_not_exist(site: Site, path: str) -> None:
    hidden = site.get(path, "north")
    absent = site.get(path.replace("spring", "winter"), "north")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text == absent.text


def test_a_preview_out_of_sight_does_not_exist(site: Site) -> None:
    hidden = site.get("/preview?dag_id=send_campaign&run_id=manual__1", "north")
    absent = site.get("/preview?dag_id=send_campaign&run_id=manual__9", "north")
    assert (hidden.status_code, hidden.text) == (404, absent.text)


def test_what_nobody_noted_a_dag_for_counts_as_send_campaign(site: Site, ledger: Ledger) -> None:
    run(ledger, replace(CAMPAIGN, campaign_id="old"), dag_id=None, run_id=None)
    assert site.get("/campaigns/old").status_code == 200
    assert site.get("/campaigns/old", "north").status_code == 404


def test_a_person_out_of_sight_is_nobody(site: Site, ledger: Ledger) -> None:
    person = {"q": "+12025550001"}
    assert "spring" in site.post("/messages", person).text
    shown = site.post("/messages", person, "north").text
    assert "northern" in shown
    assert "spring" not in shown
    assert "Nothing that you may see" in site.post("/messages", person, "stranger").text


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        ("+1 (202) 555-0001", "+1 (202) 555-0901"),
        ("0012025550001", "0012025550901"),
        ("api-1", "bpi-1"),
        ("+12025550777", "+12025550977"),  # who has a suppression and no message
    ],
)
def test_a_person_out_of_sight_is_no_other_than_nobody(
    site: Site, ledger: Ledger, known: str, unknown: str
) -> None:
    suppressions.add(
        ledger,
        [Suppression(channel="sms", address="+12025550777", reason="stop", source="test")],
        actor="test",
        now=NOW,
    )
    told = [site.post("/messages", {"q": one}, "stranger").text for one in (known, unknown)]
    token = re.compile(r"\{[^}]*\}")
    assert token.sub("", told[0]) == token.sub("", told[1])
    assert "no consent and no suppression" not in told[0]


def test_no_address_is_taken_from_a_url(site: Site) -> None:
    found = site.get("/messages?q=12025550001").text
    assert "The ledger is asked when you press Find" in found
    assert "12025550001" not in found


def test_the_timeline_is_silent_about_an_occurrence_out_of_sight(
    site: Site, ledger: Ledger
) -> None:
    """Who may start tests may test any campaign, and so comes to see that there is one."""
    run(ledger, SPRING, dag_id="north", run_id="t", occurrence="test-1", is_test=True)
    for occurrence, word in (("spring", "one"), ("test-1", "two"), (None, "three")):
        about = {"reason": word} | ({"occurrence": occurrence} if occurrence else {})
        note = AuditEntry(
            at=NOW, actor="ana", action="campaign.planned", campaign_id="spring", details=about
        )
        with ledger.write() as connection:
            audit.append(connection, [note])
    page = site.get("/campaigns/spring", "north").text
    assert [f"reason: {word}" in page for word in ("one", "two", "three")] == [False, True, True]
    assert "reason: one" in site.get("/campaigns/spring").text


def test_an_occurrence_out_of_sight_is_in_no_figure(site: Site, ledger: Ledger) -> None:
    run(ledger, NORTH, dag_id="send_campaign", run_id="manual__3", occurrence="second", count=9)
    assert "second" in site.get("/campaigns/northern").text
    seen = site.get("/campaigns/northern", "north").text
    assert "second" not in seen
    assert "<dd>5</dd>" in seen  # the recipients of the one that north may see


def test_buttons_are_for_who_may_run_every_dag_of_the_campaign(site: Site, ledger: Ledger) -> None:
    assert "button-pause" in site.get("/campaigns/northern", "north").text
    watching = site.get("/campaigns/northern", "viewer").text
    assert "button-pause" not in watching
    assert "you need the right to run north" in watching
    # A campaign is paused as a whole, also what somebody else's DAG planned of it.
    run(ledger, NORTH, dag_id="send_campaign", run_id="manual__3", occurrence="second")
    half = site.get("/campaigns/northern", "north").text
    assert "button-pause" not in half
    assert "you need the right to run a DAG that you may not see" in half
    answer = site.post("/campaigns/northern/pause", {"reason": "mine alone"}, "north")
    assert answer.status_code == 403
    assert "Nothing was done" in answer.text
    assert "send_campaign" not in half + answer.text


def test_a_test_takes_the_buttons_from_nobody_and_gives_them_to_nobody(
    site: Site, ledger: Ledger
) -> None:
    for campaign, dag_id in ((NORTH, "send_test"), (SPRING, "north")):
        run(ledger, campaign, dag_id=dag_id, run_id="t", occurrence="test-1", is_test=True)
    assert "button-pause" in site.get("/campaigns/northern", "north").text
    assert "button-pause" not in site.get("/campaigns/spring", "north").text


def test_a_viewer_can_neither_ask_for_a_button_nor_press_it(site: Site) -> None:
    assert site.get("/campaigns/spring/pause", "viewer").status_code == 403
    refused = site.post("/campaigns/spring/pause", {"reason": "just so"}, "viewer")
    assert refused.status_code == 403
    assert "right to run send_campaign" in refused.text
    assert ">active<" in site.get("/campaigns/spring").text
