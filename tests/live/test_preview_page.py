"""The page of a run's preview: all that is decided before a send, and nothing of it markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from genesys_cloud.ledger import previews
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.preview import Advice, compare
from genesys_cloud.outbound.preview_tally import Sample
from tests.live.site import Site
from tests.live.test_pages import MARKUP, Elements
from tests.outbound.previewed import PREVIEW

AT = "/preview?dag_id=send_campaign&run_id=manual__7"
SAMPLE = Sample(
    language="en", kind="shortest", row_number=3, address_key="k", masked_address="…03",
    text="Hello Zoë’s", segments=1,
)  # fmt: skip


def page(site: Site, ledger: Ledger, *samples: Sample, **changes: object) -> str:
    preview = replace(PREVIEW, **changes)  # type: ignore[arg-type]
    previews.save(ledger, preview, samples, dag_id="send_campaign", run_id="manual__7")
    answer = site.get(AT)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_it_shows_counts_estimates_advice_and_texts(site: Site, ledger: Ledger) -> None:
    before = replace(PREVIEW, recipients=900, occurrence="last week")
    shown = page(
        site, ledger, SAMPLE,
        blocked={"suppressed": 2}, examples={"suppressed": ("row 1234567 (…03): on the list",)},
        advice=(Advice(characters="’", messages=40, segments=41),),
        difference=compare(PREVIEW, before, new=120, gone=20),
        finish=replace(
            PREVIEW.finish, deadline=datetime(2026, 11, 23, 12, 2, tzinfo=UTC), late=500
        ),
    )  # fmt: skip
    for told in (
        "about EUR 12.00 (prices 2026-11-23.ab)",
        "500 messages would still be waiting at the deadline",
        "2026-11-23 12:04 UTC",
        "RIGHT SINGLE QUOTATION MARK turns SMS into UCS-2 and makes 40 texts longer",
        "row 1234567 (…03): on the list",
        "the address is on the suppression list",
        "occurrence last week",
        "recipients gone",
        "Hello Zoë’s",
        "11 characters, 1 segment in UCS-2, because of LATIN SMALL LETTER E WITH DIAERESIS",
        "Language en, 1,000 messages",
    ):
        assert told in shown


def test_a_run_without_a_preview_says_where_to_look(site: Site) -> None:
    answer = site.get(AT)
    assert answer.status_code == 404
    assert "where it has failed, its log says why" in answer.text


def test_whatever_it_shows_is_text(site: Site, ledger: Ledger) -> None:
    harmless = Elements(page(site, ledger, SAMPLE, difference=compare(PREVIEW, PREVIEW)))
    filled = FilledTemplate(
        response_id=MARKUP, body={MARKUP: MARKUP}, header={}, button_url={"0": MARKUP}
    )
    hostile = page(
        site, ledger,
        *(replace(SAMPLE, row_number=n, language=MARKUP[:35], text=text, segments=None)
          for n, text in enumerate((MARKUP, filled.as_text()))),
        campaign_id="camp<b>", occurrence=MARKUP[:60], template=MARKUP, template_version=MARKUP,
        profile=MARKUP, settings={MARKUP: MARKUP}, blocked={MARKUP: 1},
        examples={MARKUP: (MARKUP,)}, languages={MARKUP: 1},
        bill=replace(PREVIEW.bill, currency=MARKUP, version=MARKUP, unit=MARKUP, provider=MARKUP),
        finish=replace(PREVIEW.finish, paced_by=MARKUP),
        difference=compare(
            replace(PREVIEW, template=MARKUP), replace(PREVIEW, occurrence=MARKUP), new=1, gone=1
        ),
    )  # fmt: skip
    found = Elements(hostile)
    assert found.tags.count("script") == harmless.tags.count("script")
    assert "img" not in found.tags
    assert "onerror" not in {name for name, _ in found.attributes}
    assert "&lt;script&gt;alert(1)" in hostile


def test_an_approved_template_is_shown_with_its_values(site: Site, ledger: Ledger) -> None:
    filled = FilledTemplate(
        response_id="5e7b", body={"name": "Zoë"}, header={}, button_url={"url": "o/7"}
    )
    shown = page(site, ledger, replace(SAMPLE, text=filled.as_text(), segments=None))
    for told in ("an approved template with these values", "5e7b", "body: name", "button url: url"):
        assert told in shown
    assert "{&#34;" not in shown


def test_without_texts_and_changes_it_says_so(site: Site, ledger: Ledger) -> None:
    shown = page(site, ledger, dry_run=True, bill=replace(PREVIEW.bill, lines=()))
    for told in ("dry run", "None: nobody would get", "no earlier run", "nothing: nobody gets"):
        assert told in shown


def test_who_may_not_see_the_dag_sees_no_preview(site: Site, ledger: Ledger) -> None:
    page(site, ledger, SAMPLE)
    hidden = site.get(AT, "north")
    assert hidden.status_code == 404
    assert "Hello" not in hidden.text
