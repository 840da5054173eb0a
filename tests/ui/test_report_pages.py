"""The reports of a day and of a month, in a browser: screens of all sizes, the dark, and paper.

UI_SCREENSHOTS=docs/images takes the pictures of the documents anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from genesys_cloud.reporting.partitions import build_partition
from genesys_cloud.reporting.range_reports import over_range
from genesys_cloud.reporting.ranges import read_range
from tests.reporting.month import FIRST, a_ledger, put_month
from tests.reporting.samples import END, START, facts_of, pages, realistic_day

pytestmark = pytest.mark.browser

SCREENSHOTS = os.environ.get("UI_SCREENSHOTS")
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
CHARTS = 10
LIGHT_PAGE, DARK_PAGE, WHITE = "rgb(244, 246, 248)", "rgb(17, 22, 28)", "rgb(255, 255, 255)"

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the report of a day of 5,000 messages, and of a month that lacks two days."""
    root = tmp_path_factory.mktemp("exports")
    put_month(root, 31, without=[11, 12], empty=20)
    month = root / "month.html"
    month.write_text(over_range(read_range(root, FIRST, FIRST + timedelta(days=30))), "utf-8")
    rows, facts = realistic_day(5_000)
    build_partition(pages(rows), facts_of(facts), root, START, END, ledger=a_ledger(5_000))
    return {"day": root / "deliveries" / f"date={FIRST}" / "report.html", "month": month}


@pytest.fixture(params=["day", "month"])
def name(request: pytest.FixtureRequest) -> str:
    """The report that is looked at."""
    return str(request.param)


@pytest.fixture
def visit(browser: Browser, reports: dict[str, Path]) -> Iterator[Visit]:
    """Open a report in a browser of its own; whatever it asks for or complains of is a failure."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(name: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        address = reports[name].as_uri()
        page.on("request", lambda asked: complaints.append(asked.url))
        page.goto(address)
        complaints.remove(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def colours(page: Page) -> set[str]:
    """Return the colours in which the charts are filled, as the browser sees them."""
    script = "[...document.querySelectorAll('svg.chart path')].map(e => getComputedStyle(e).fill)"
    return set(page.evaluate(script)) - {"none"}


def test_every_chart_has_its_words_and_its_table(visit: Visit, name: str) -> None:
    page = visit(name)
    expect(page.locator("svg.chart")).to_have_count(CHARTS)
    for chart in page.get_by_role("img").all():
        assert chart.get_attribute("aria-labelledby")
        expect(chart.locator("title")).not_to_be_empty()
        expect(chart.locator("desc")).not_to_be_empty()
    for section in page.locator("section").all():
        expect(section.locator("h2")).to_have_count(1)
        assert section.locator("table tbody tr").count() > 0
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_what_scrolls_can_be_reached_with_the_keyboard(visit: Visit, name: str) -> None:
    page = visit(name, viewport=PHONE)
    script = (
        "[...document.querySelectorAll('.scroll')].filter(e => (e.scrollWidth > e.clientWidth"
        " || e.scrollHeight > e.clientHeight) && e.tabIndex < 0).length"
    )
    assert page.evaluate(script) == 0


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_on_both_screens(
    visit: Visit, name: str, scheme: str, viewport: dict[str, int]
) -> None:
    page = visit(name, viewport=viewport, color_scheme=scheme)
    assert ground(page) == {"light": LIGHT_PAGE, "dark": DARK_PAGE}[scheme]
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    picture(page, name, scheme, viewport)


def picture(page: Page, name: str, scheme: str, viewport: dict[str, int]) -> None:
    """Keep the pictures of the documents where somebody asked for them."""
    if SCREENSHOTS and viewport == WIDE and (name, scheme) in {("day", "light"), ("month", "dark")}:
        height = 1_578 if name == "day" else 1_700
        file = {"day": "delivery-report", "month": "delivery-report-range"}[name]
        clip = {"x": 0, "y": 0, "width": 1200, "height": height}
        path = Path(SCREENSHOTS) / f"{file}.png"
        page.screenshot(path=str(path), full_page=True, clip=clip)  # type: ignore[arg-type]


def test_charts_change_their_colours_with_the_scheme(visit: Visit, name: str) -> None:
    light, dark = (visit(name, color_scheme=scheme) for scheme in ("light", "dark"))
    assert "rgb(39, 119, 91)" in colours(light) - colours(dark)
    assert "rgb(70, 165, 131)" in colours(dark) - colours(light)


def test_paper_is_white_and_nothing_falls_off_it(visit: Visit, name: str) -> None:
    # A4 less its margins is 703 units wide.
    page = visit(name, viewport={"width": 703, "height": 1_000}, color_scheme="dark")
    page.emulate_media(media="print")
    assert ground(page) == WHITE
    assert page.evaluate("document.documentElement.scrollWidth") == 703
    assert "rgb(39, 119, 91)" in colours(page)
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_missing_days_catch_the_eye(visit: Visit) -> None:
    page = visit("month")
    expect(page.locator(".badge")).to_have_text("Incomplete: 2 of 31 days missing")
    expect(page.get_by_text("2 of 31 days have no partition")).to_be_visible()
    expect(page.get_by_text("2024-01-26, 2024-01-27").first).to_be_visible()
