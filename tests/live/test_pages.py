"""What the pages show: figures, reasons, stories; text that is only text; and no stack trace."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import text, update

from genesys_cloud.ledger import events
from genesys_cloud.ledger.campaigns import change_state
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages
from genesys_cloud.live import asked
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import StatusEvent
from tests.ledger.planted import CAMPAIGN, NOW
from tests.live.conftest import SPRING
from tests.live.site import Site, run
from tests.simulator.server import PATIENCE_S

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
MARKUP = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'"


class Elements(HTMLParser):
    """The names of a page's elements and attributes, as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_campaigns_are_shown_with_state_progress_and_reasons(site: Site, ledger: Ledger) -> None:
    change_state(ledger, "northern", "paused", reason="wrong price", actor="ana", now=NOW)
    page = site.get("/").text
    assert 'aria-label="Progress of spring: 50 % settled"' in page
    assert re.search(r'<progress class="paused"', page)
    assert "wrong price" in page
    assert "consent not verified: 1" in page
    assert 'href="/airflow/dags/send_campaign/runs/manual__1"' in page


def test_a_search_finds_by_a_part_of_the_id_and_keeps_on_asking_that(site: Site) -> None:
    page = site.get("/?search=ring").text
    assert "spring" in page
    assert "northern" not in page
    assert 'hx-get="/airflow/genesys/?search=ring&amp;before="' in page
    assert "No campaign that you may see has “zzz”" in site.get("/?search=zzz").text


def test_many_campaigns_come_in_pages(site: Site, ledger: Ledger) -> None:
    names = {f"many_{number:02}" for number in range(30)}
    for name in sorted(names):
        campaign = replace(CAMPAIGN, campaign_id=name)
        run(ledger, campaign, dag_id="send_campaign", run_id=name, count=2)
    first = site.get("/?search=many").text
    (older,) = re.findall(r'href="/airflow/genesys(/\?[^"]*before=[^"]*)"', first)
    second = site.get(older.replace("&amp;", "&")).text
    listed = [set(re.findall(r">(many_\d\d)<", page)) for page in (first, second)]
    assert (len(listed[0]), len(listed[1])) == (25, 5)
    assert listed[0] | listed[1] == names
    assert "First page" in second


def test_tests_have_a_badge_and_are_in_no_figure(site: Site, ledger: Ledger) -> None:
    run(ledger, SPRING, dag_id="send_test", run_id="t", occurrence="test-1", is_test=True)
    assert "1 test: 5 messages" in site.get("/").text
    assert "Not counted here: 5 messages of 1 test send." in site.get("/campaigns/spring").text


def test_one_campaign_shows_its_runs_chart_reasons_and_timeline(site: Site, ledger: Ledger) -> None:
    change_state(ledger, "spring", "paused", reason="lunch", actor="airflow:ana", now=NOW)
    page = site.get("/campaigns/spring").text
    assert 'href="/airflow/dags/send_campaign/runs/manual__1"' in page
    assert "/airflow/genesys/preview?dag_id=send_campaign&amp;run_id=manual__1" in page
    assert '<rect class="accepted"' in page
    assert "2026-11-23 12:00: 1 rejected" in page
    assert "kind=rejected&amp;reason=rejected_by_genesys" in page
    assert "reason: lunch" in page
    assert "messages: 0" not in page  # a pause has none to count
    assert "airflow:ana" in page
    assert page.count("<caption>") == page.count("<table>") == 3


def test_the_part_that_refreshes_is_the_same_without_the_page(site: Site) -> None:
    for path in ("/", "/campaigns/spring"):
        whole = site.get(path).text
        part = site.get(path, **{"HX-Request": "true"}).text
        assert "<html" in whole
        assert "<html" not in part
        assert part.strip() in whole


def test_the_failed_are_listed_masked_and_lead_to_their_story(site: Site) -> None:
    page = site.get("/campaigns/spring/failures?kind=rejected&reason=rejected_by_genesys").text
    assert "…02" in page
    (story,) = set(re.findall(r'href="/airflow/genesys(/messages\?q=[0-9a-f]+)"', page))
    told = site.get(story).text
    assert "…02" in told
    assert "rejected_by_genesys" in told


def test_whoever_is_not_found_may_have_been_asked_for_in_another_form(site: Site) -> None:
    told = site.post("/messages", {"q": "+12025559999"}).text
    assert "Nothing that you may see was planned for …99." in told
    assert "a number with + and its country code" in told


def test_a_story_has_its_events_and_its_text(site: Site, ledger: Ledger) -> None:
    event = StatusEvent(
        event_id="e-1", message_id="api-1", status="delivered",
        occurred_at=NOW + timedelta(seconds=3),
    )  # fmt: skip
    events.apply(ledger, [event], NOW)
    told = site.post("/messages", {"q": "api-1"}).text
    assert ">delivered<" in told
    assert "<caption>Status events</caption>" in told
    assert "<pre>Hello</pre>" in told


@pytest.mark.parametrize("path", ["/", "/campaigns/spring", "/messages", "/nowhere", "/preview"])
def test_every_answer_may_be_framed_by_airflow_alone_and_kept_nowhere(
    site: Site, path: str
) -> None:
    answer = site.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy


def test_a_page_has_no_script_or_style_of_its_own(site: Site) -> None:
    for path in ("/", "/campaigns/spring", "/messages?q=%2B12025550001", "/campaigns/spring/pause"):
        found = Elements(site.get(path).text)
        assert "style" not in found.tags
        names = [name for name, _ in found.attributes]
        assert not [name for name in names if name == "style" or name.startswith("on")]
        sources = [value for name, value in found.attributes if name == "src"]
        assert all(value and value.startswith("/airflow/genesys/static/") for value in sources)
        assert len(sources) == found.tags.count("script")


def test_markup_in_data_is_text_on_every_page(site: Site, ledger: Ledger) -> None:
    marked = replace(CAMPAIGN, campaign_id="marked")
    plan = run(
        ledger, marked, dag_id="send_campaign", run_id=MARKUP, text=MARKUP, sender=MARKUP,
        states=[State.ACCEPTED, State.REJECTED],
    )  # fmt: skip
    with ledger.write() as connection:
        connection.execute(
            update(messages)
            .where(messages.c.occurrence_id == plan.occurrence_id)
            .values(recipient_id=MARKUP, language=MARKUP[:35], reason=MARKUP, consent_proof=MARKUP)
        )
        connection.execute(
            text("UPDATE occurrences SET template = :m, audience = :m, approved_by = :m"),
            {"m": MARKUP},
        )
    change_state(ledger, "marked", "paused", reason=MARKUP, actor=MARKUP, now=NOW)
    clean = Elements(site.get("/campaigns/spring").text)
    for path in (
        "/",
        f"/?search={MARKUP}",
        "/campaigns/marked",
        "/campaigns/marked/resume",
        "/campaigns/marked/failures?kind=rejected&reason=rejected_by_genesys",
        f"/campaigns/marked/failures?kind={MARKUP}&reason={MARKUP}",
        "/messages?q=%2B12025550001",
        f"/messages?q={MARKUP}",
    ):
        page = site.get(path)
        assert page.status_code == 200, path
        found = Elements(page.text)
        assert "img" not in found.tags, path
        assert found.tags.count("script") in {0, clean.tags.count("script")}, path
        assert not [name for name, _ in found.attributes if name.startswith("onerror")], path
    done = site.post("/campaigns/marked/resume", {"reason": MARKUP})
    assert Elements(done.text).tags == ["p", "div", "p"]


@pytest.mark.parametrize(
    "path",
    [
        "/?before=nonsense",
        "/?before=2026-01-01T00:00:00%2B00:00+%00",
        "/?before=0001-01-01T00:00:00%2B23:00+a",
        "/?before=2026-01-01T00:00:00",
        "/?search=%00",
        "/campaigns/%00",
        "/campaigns/" + "a" * 5000,
        "/campaigns/spring?timeline_before=99999999999999999999",
        "/campaigns/spring?occurrences_before=-1",
        "/campaigns/spring?occurrences_before=abc",
        "/campaigns/spring/failures",
        "/campaigns/spring/failures?kind=%00&reason=%ff&before=x",
        "/campaigns/spring/failures?kind=rejected&reason=a&before=" + "9" * 30 + ".1",
        "/campaigns/spring/failures?kind=rejected&reason=a&before=1." + "9" * 5000,
        "/messages?q=%00%ff",
        "/messages?q=" + "9" * 5000,
        "/preview?dag_id=%00&run_id=" + "x" * 5000,
        "/nowhere",
    ],
)
def test_an_odd_address_is_answered_with_a_sentence(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code in {200, 400, 404}
    assert "<html" in answer.text
    assert "Traceback" not in answer.text


def test_a_ledger_of_another_schema_is_a_sentence(site: Site, ledger: Ledger) -> None:
    with ledger.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = site.get("/")
    assert answer.status_code == 503
    assert "another schema" in answer.text
    assert str(ledger.engine.url.database) not in answer.text
    part = site.get("/", **{"HX-Request": "true"})
    assert (part.status_code, "<html" in part.text) == (503, False)
    with ledger.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    assert site.get("/").status_code == 200


def test_a_ledger_that_goes_away_is_a_sentence_and_comes_back(site: Site, ledger: Ledger) -> None:
    file = Path(str(ledger.engine.url.database))
    kept = file.with_name("elsewhere.db")
    ledger.close()
    file.rename(kept)
    file.mkdir()
    answer = site.get("/")
    assert answer.status_code == 503
    assert "The ledger does not answer" in answer.text
    file.rmdir()
    kept.rename(file)
    assert site.get("/").status_code == 200


def test_an_unforeseen_error_is_a_sentence_too(site: Site, ledger: Ledger) -> None:
    site.get("/")
    with ledger.write() as connection:
        connection.execute(text("UPDATE campaigns SET changed_at = 'no time'"))
    answer = site.get("/")
    assert answer.status_code == 500
    assert "This page failed" in answer.text
    assert "Traceback" not in answer.text


def test_a_page_that_waits_holds_up_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "OPENING_S", 60)
    lock = site.app.state.backing.ledger._lock
    with lock:  # as somebody holds it whose ledger takes its time
        waiting = threading.Thread(target=site.get, args=("/",))
        waiting.start()
        assert site.get("/static/live.css", person=None).status_code == 200
        assert site.get("/", person=None).status_code == 401
        assert waiting.is_alive()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


def test_pages_do_not_queue_for_a_ledger_that_is_long_in_opening(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "OPENING_S", 0.05)
    with site.app.state.backing.ledger._lock:  # as whoever opens it holds it
        answers = [site.get("/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert "The ledger does not answer" in answers[0].text
    assert site.get("/").status_code == 200
