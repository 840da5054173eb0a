"""The report: self-contained, safe against what the data holds, and the same each time."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from genesys_cloud.reporting import partitions, reports
from genesys_cloud.reporting.partitions import build_partition
from tests.reporting.samples import (
    END,
    START,
    delivery,
    facts_of,
    no_facts,
    pages,
    realistic_day,
)

VOID = {"meta", "link", "br", "path", "use"}


class Page(HTMLParser):
    """Reads a page as a browser would: its elements, ids and text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(tmp_path, deliveries, facts=no_facts, **options):
    listed = pages(deliveries, total=options.pop("total", -1))
    build_partition(listed, facts, tmp_path, START, END, **options)
    path = tmp_path / "deliveries" / "date=2024-01-15" / "report.html"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    messages, facts = realistic_day(600)
    return page_of(
        tmp_path_factory.mktemp("report"),
        messages,
        facts_of(facts),
        states={"accepted": 600, "blocked": 31, "held": 4},
    )


def test_elements_are_closed_and_ids_unique(html):
    page = Page(html)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_reference_has_its_target(html):
    ids = set(re.findall(r' id="([^"]+)"', html))
    wanted = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html)
    labels = " ".join(re.findall(r'aria-labelledby="([^"]+)"', html)).split()
    assert {name for pair in wanted for name in pair if name} | set(labels) <= ids
    assert wanted


def test_nothing_is_loaded_from_anywhere(html):
    assert "://" not in html
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "image", "base"}
    assert [link["href"] for link in page.named("link")] == ["data:,"]


def test_charts_are_named_and_told_in_words(html):
    charts = Page(html).named("svg")
    assert len(charts) == 10
    assert all(chart["role"] == "img" for chart in charts)
    assert html.count("<desc id=") == html.count("<title id=") == 10


def test_colours_come_from_the_page(html):
    drawings = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert "var(--good)" in drawings
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawings)) <= {"#ffffff"}
    defined = set(re.findall(r"(--[a-z]+):", html))
    assert set(re.findall(r"var\((--[a-z]+)\)", html)) <= defined


def test_report_shows_the_figures(html):
    text = " ".join(" ".join(Page(html).text).split())
    for word in ("appointment-reminders", "order-updates", "winter-offers", "blocked", "30003"):
        assert word in text
    assert "Complete: 600 rows" in text
    assert "Recipients" in text


def test_page_is_for_phones_paper_and_the_dark(html):
    assert 'name="viewport"' in html
    assert "@media print" in html
    assert "prefers-color-scheme:dark" in html


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><script>",
    "$\\frac{1}{0}$ {{ 7 * 7 }}",
    "label-1- & co",
    "日本語 \u202e txt.exe \x00",
    "]]><!--",
    "x" * 500,
]


def test_hostile_names_are_shown_and_nothing_more(tmp_path):
    rows = [
        delivery(f"m{n}", campaign_id=name, channel=name, status=status, error_code=name)
        for n, name in enumerate(HOSTILE)
        for status in [("failed", "delivered")[n % 2]]
    ]
    html = page_of(tmp_path, rows, states={"<b>blocked</b>": 2, "accepted": 8})
    page = Page(html)
    assert page.open == []
    assert not {tag for tag, _ in page.elements} & {"script", "img", "b"}
    assert "{{ 7 * 7 }}" in "".join(page.text)
    assert "label-1- &amp; co" in html


def test_empty_day_has_a_report_without_charts(tmp_path):
    page = Page(page_of(tmp_path, []))
    assert page.named("svg") == []
    assert "No message failed" in "".join(page.text)


def test_day_without_final_messages_has_a_report(tmp_path):
    page = Page(page_of(tmp_path, [delivery(status="queued", sent_at=None, delivered_at=None)]))
    assert len(page.named("svg")) == 2  # funnel and hours


@pytest.mark.parametrize("milliseconds", [0, 1, 90_000_000_000])
def test_any_latency_can_be_drawn(tmp_path, milliseconds):
    sent = delivery().created_at + timedelta(milliseconds=milliseconds)
    assert len(Page(page_of(tmp_path, [delivery(sent_at=sent)])).named("svg")) == 9


def test_unknown_completeness_is_said(tmp_path):
    text = "".join(Page(page_of(tmp_path, [delivery()], total=None)).text)
    assert "Completeness unknown" in text


def test_many_campaigns_are_all_in_the_table(tmp_path):
    rows = [delivery(f"m{n}", campaign_id=f"campaign-{n:03d}") for n in range(30)]
    html = page_of(tmp_path, rows)
    assert "The 12 largest of 30 campaigns are drawn" in html
    assert all(f"<bdi>campaign-{n:03d}</bdi>" in html for n in range(30))


def test_registered_report_is_in_every_partition(tmp_path, monkeypatch):
    registered: dict[str, reports.Report] = {}
    monkeypatch.setattr(reports, "REPORTS", registered)
    monkeypatch.setattr(partitions, "REPORTS", registered)

    @reports.report("failures.txt")
    def failures(source):
        return f"{source.metrics['failed']} failed"

    build_partition(pages([delivery(status="failed")]), no_facts, tmp_path, START, END)
    place = tmp_path / "deliveries" / "date=2024-01-15"
    assert (place / "failures.txt").read_text() == "1 failed"


def test_two_reports_can_not_share_a_file():
    with pytest.raises(ValueError, match=r"report\.html"):
        reports.report("report.html")(lambda source: "")
