"""The buttons: safe against other sites, bound to a person, audited, and what they start."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.campaigns import change_state, progress
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.live.safety import LIFETIME, TOKEN_HEADER
from genesys_cloud.outbound.messages import State
from tests.ledger.planted import NOW
from tests.live.conftest import SPRING
from tests.live.site import Site, run

PAUSE = "/campaigns/spring/pause"
REASON = {"reason": "wrong price"}


def state_of(ledger: Ledger, campaign_id: str = "spring") -> str:
    return progress(ledger, campaign_id).campaign_state


def start_in(answer: requests.Response) -> dict[str, Any] | None:
    """Return which run the page's script is told to start."""
    found = re.search(r'data-start="([^"]*)"', answer.text)
    return json.loads(html.unescape(found[1])) if found else None


def test_a_pause_is_done_said_and_audited(site: Site, ledger: Ledger) -> None:
    answer = site.post(PAUSE, REASON)
    assert answer.status_code == 200
    assert "Campaign spring is paused." in answer.text
    assert answer.headers["HX-Trigger"] == "campaign-changed"
    assert start_in(answer) is None
    assert state_of(ledger) == "paused"
    last = list(audit.read(ledger))[-1]
    assert (last["actor"], last["action"]) == ("airflow:ops", "campaign.paused")
    assert last["details"]["reason"] == "wrong price"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": "", "Origin": "http://["},
        {"Sec-Fetch-Site": "", "Origin": ""},
        {TOKEN_HEADER: ""},
        {TOKEN_HEADER: "guessed"},
        {TOKEN_HEADER: "W10.guessed"},
    ],
)
def test_a_post_that_no_page_of_ours_made_does_nothing(
    site: Site, ledger: Ledger, headers: dict[str, str]
) -> None:
    for path, data in ((PAUSE, REASON), ("/messages", {"q": "+12025550001"})):
        answer = site.post(path, data, headers=headers)
        assert answer.status_code == 403
        assert "nothing was done." in answer.text
        assert "…01" not in answer.text
    assert state_of(ledger) == "active"


def test_without_secure_headers_the_origin_decides(site: Site, ledger: Ledger) -> None:
    assert site.post(PAUSE, REASON, headers={"Sec-Fetch-Site": ""}).status_code == 200
    assert state_of(ledger) == "paused"


def test_a_page_of_somebody_else_or_of_long_ago_does_nothing(site: Site, ledger: Ledger) -> None:
    theirs = site.post(PAUSE, REASON, headers={TOKEN_HEADER: site.token("viewer")})
    assert (theirs.status_code, "Somebody else" in theirs.text) == (403, True)
    old = site.token()
    site.now = NOW + LIFETIME + timedelta(seconds=1)
    late = site.post(PAUSE, REASON, headers={TOKEN_HEADER: old})
    assert (late.status_code, "open for long" in late.text) == (403, True)
    assert state_of(ledger) == "active"


@pytest.mark.parametrize("word", ["pause", "resume", "cancel", "resend"])
def test_a_get_changes_nothing(site: Site, ledger: Ledger, word: str) -> None:
    before = len(list(audit.read(ledger)))
    site.get(f"/campaigns/spring/{word}")
    site.get("/")
    assert state_of(ledger) == "active"
    assert len(list(audit.read(ledger))) == before


def test_a_button_asks_why_and_gives_its_form_the_token(site: Site) -> None:
    form = site.get(PAUSE).text
    assert re.search(r'name="reason" required', form)
    assert TOKEN_HEADER in form
    assert site.token() in form
    assert site.post(PAUSE, {"reason": "  "}).status_code == 400


def test_what_makes_no_sense_by_now_is_refused(site: Site, ledger: Ledger) -> None:
    assert site.post("/campaigns/spring/resume", REASON).status_code == 409
    assert site.post("/campaigns/spring/explode", REASON).status_code == 404
    site.post("/campaigns/spring/cancel", REASON)
    assert state_of(ledger) == "cancelled"
    again = site.post(PAUSE, REASON)
    assert (again.status_code, "cancelled by now" in again.text) == (409, True)
    assert "button-" not in site.get("/campaigns/spring").text


def test_a_resumed_campaign_starts_like_the_run_that_planned_what_is_left(
    site: Site, ledger: Ledger
) -> None:
    change_state(ledger, "spring", "paused", reason="lunch", actor="test", now=NOW)
    run(ledger, SPRING, dag_id="send_test", run_id="t", occurrence="test-1", is_test=True)
    assert "manual__1" in site.get("/campaigns/spring/resume").text
    started = start_in(site.post("/campaigns/spring/resume", REASON))
    assert started is not None
    assert (started["dag_id"], started["run_id"]) == ("send_campaign", "manual__1")
    # Nothing else is changed: what asked for approval asks again, what was real is real.
    assert started["changes"] == {"occurrence": "spring"}
    assert started["note"] == "Resumed: wrong price"
    assert state_of(ledger) == "active"


def test_a_resumed_campaign_with_nobody_left_starts_nothing(site: Site, ledger: Ledger) -> None:
    run(
        ledger, SPRING, dag_id="send_campaign", run_id="m", occurrence="spring",
        states=[State.ACCEPTED] * 2,
    )  # fmt: skip
    change_state(ledger, "spring", "paused", reason="lunch", actor="test", now=NOW)
    answer = site.post("/campaigns/spring/resume", REASON)
    assert start_in(answer) is None
    assert "nobody is left" in answer.text


def test_resending_starts_a_new_occurrence_of_those_who_failed(site: Site, ledger: Ledger) -> None:
    assert (
        '<option value="spring">spring: 1 failed or rejected'
        in site.get("/campaigns/spring/resend").text
    )
    answer = site.post("/campaigns/spring/resend", REASON | {"occurrence": "spring"})
    started = start_in(answer)
    assert started is not None
    assert started["changes"] == {"only_failed_of": "spring", "occurrence": "spring-resend"}
    assert "only_failed_of = spring" in started["by_hand"]
    last = list(audit.read(ledger))[-1]
    assert (last["actor"], last["action"]) == ("airflow:ops", "campaign.resend")
    assert last["details"] == {"occurrence": "spring", "reason": "wrong price"}
    wrong = site.post("/campaigns/spring/resend", REASON | {"occurrence": "autumn"})
    assert (wrong.status_code, start_in(wrong)) == (400, None)


@pytest.mark.parametrize("word", ["resume", "resend"])
def test_tests_that_came_since_hide_no_occurrence(site: Site, ledger: Ledger, word: str) -> None:
    for number in range(26):
        run(
            ledger, SPRING, dag_id="send_test", run_id=f"t{number}", occurrence=f"test-{number}",
            count=1, is_test=True,
        )  # fmt: skip
    if word == "resume":
        change_state(ledger, "spring", "paused", reason="lunch", actor="test", now=NOW)
    shown = {"resume": "starts again with", "resend": '<option value="spring">'}[word]
    assert shown in site.get(f"/campaigns/spring/{word}").text
    started = start_in(site.post(f"/campaigns/spring/{word}", REASON | {"occurrence": "spring"}))
    assert started is not None
    assert started["run_id"] == "manual__1"


def test_after_the_deadline_nothing_is_sent_again(site: Site, ledger: Ledger) -> None:
    """The run would plan nobody: its deadline is in the conf that it is started with."""
    campaign = replace(SPRING, campaign_id="over", deadline=NOW + timedelta(hours=1))
    run(
        ledger, campaign, dag_id="send_campaign", run_id="m", states=[State.REJECTED],
        occurrence="once",
    )  # fmt: skip
    before = len(list(audit.read(ledger)))
    site.now = NOW + timedelta(hours=2)
    answer = site.post("/campaigns/over/resend", REASON | {"occurrence": "once"})
    assert answer.status_code == 409
    assert "The deadline of occurrence once has passed" in answer.text
    assert "only_failed_of = once, occurrence = once-resend" in answer.text
    assert len(list(audit.read(ledger))) == before


def test_pressed_twice_nobody_is_sent_to_twice(site: Site, ledger: Ledger) -> None:
    """A message's key names the occurrence, so that one occurrence is one message for a person."""
    long = "a" * 60
    run(
        ledger, SPRING, dag_id="send_campaign", run_id="m", occurrence=long,
        states=[State.REJECTED],
    )  # fmt: skip
    for occurrence in ("spring", long):
        wanted = REASON | {"occurrence": occurrence}
        first = start_in(site.post("/campaigns/spring/resend", wanted))
        site.now += timedelta(hours=1)
        again = start_in(site.post("/campaigns/spring/resend", wanted))
        assert first is not None
        assert first == again
        assert len(first["changes"]["occurrence"]) <= 64


@pytest.mark.parametrize("word", ["resume", "resend"])
def test_a_run_that_is_started_again_does_not_begin_in_the_past(
    site: Site, ledger: Ledger, word: str
) -> None:
    campaign = replace(SPRING, campaign_id="later", not_before=NOW + timedelta(hours=1))
    run(
        ledger, campaign, dag_id="send_campaign", run_id="m", states=[State.REJECTED],
        occurrence="once",
    )  # fmt: skip
    if word == "resume":
        change_state(ledger, "later", "paused", reason="lunch", actor="test", now=NOW)
    site.now = NOW + timedelta(hours=2)
    answer = site.post(f"/campaigns/later/{word}", REASON | {"occurrence": "once"})
    started = start_in(answer)
    assert started is not None
    assert started["changes"]["not_before"] is None
    assert "no not_before" in started["by_hand"]


def test_a_number_in_a_reason_does_not_reach_airflow(site: Site, ledger: Ledger) -> None:
    asked = {"reason": "asked by +1 202 555 0123", "occurrence": "spring"}
    started = start_in(site.post("/campaigns/spring/resend", asked))
    assert started is not None
    assert started["note"] == "Resend failed: asked by …23"


def test_a_form_without_its_script_puts_nothing_into_an_address(site: Site) -> None:
    for path in ("/messages", PAUSE):
        (form,) = re.findall(r"<form[^>]*hx-post[^>]*>", site.get(path).text)
        assert 'method="post"' in form


@pytest.mark.parametrize("person", ["ops", None])
def test_a_body_that_no_form_sends_is_not_read(site: Site, person: str | None) -> None:
    answer = site.post(PAUSE, {"reason": "x" * 100_000}, person=person)
    assert answer.status_code == 413
    assert "more than a form of ours holds" in answer.text
