"""The lint of a run: before anything is planned, and over the rows that planning reads."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from genesys_cloud.errors import TemplateError
from genesys_cloud.outbound.audience import Row, read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.workflows.linting import ROWS_TRIED, begin_lint, end_lint, lint_counts
from genesys_cloud.workflows.planning import rehearse
from genesys_cloud.workflows.summary import plan_table

CAMPAIGN = Campaign(
    campaign_id="shops",
    audience="people.csv",
    template="shop",
    channel="messaging:sms",
    sender="+12025550100",
)
SOURCE = "{% if not city %}{{ abort('no shop near') }}{% endif %}{{ name }}, come to {{ city }}"
HEADER = "address,consent,language,name,city"
ROWS = [
    "+12025550101,true,en,Secretname,Lyon",
    "+12025550102,true,pt-BR,Secretname,Paris",
    "+12025550103,true,en,Secretname,",
]


@pytest.fixture
def template(tmp_path: Path) -> Template:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "en.j2").write_text(SOURCE)
    return TemplateLibrary(root=tmp_path).load("shop", "messaging:sms")


def people(*lines: str, header: str = HEADER) -> Iterator[Row]:
    return read_csv(io.BytesIO("\n".join([header, *lines]).encode("utf-8", "surrogateescape")))


def test_findings_come_from_the_rows_that_planning_read(
    template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    extremes, rows = begin_lint(template, CAMPAIGN, people(*ROWS))
    report = rehearse(CAMPAIGN, template, rows, occurrence="once")
    found = end_lint(template, CAMPAIGN, "messaging", extremes)
    assert (report.recipients, extremes.rows) == (3, 3)
    assert "1 recipient asks for pt-BR" in caplog.text
    assert lint_counts(found) == {"warning": 2}  # the language, and the blank city
    assert "Secretname" not in caplog.text


def test_an_abort_is_counted_and_its_reason_is_in_the_plan(template: Template) -> None:
    report = rehearse(CAMPAIGN, template, people(*ROWS), occurrence="once")
    assert report.blocked == {"template_aborted": 1}
    assert report.examples["template_aborted"] == [
        "row 3 (…03): Template 'shop' refuses this recipient: no shop near."
    ]
    table = plan_table(report)
    assert "template_aborted" in table
    assert "Secretname" not in table


def test_a_list_that_lacks_a_column_is_told_of_before_planning(
    template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    begin_lint(template, CAMPAIGN, people("+12025550101,true,x", header="address,consent,city"))
    assert "uses 'name', and the contact list has no such column" in caplog.text
    assert "Every row would be blocked." in caplog.text


def test_a_template_without_the_default_language_stops_before_planning(template: Template) -> None:
    with pytest.raises(TemplateError, match="no text in 'fr', the default language; it has en"):
        begin_lint(template, replace(CAMPAIGN, default_language="fr"), people(*ROWS))


def test_warnings_alone_stop_nobody(template: Template) -> None:
    row = "+12025550101,true,pt,A,B,C"
    _, rows = begin_lint(template, CAMPAIGN, people(row, header=HEADER + ",pet"))
    assert len(list(rows)) == 1


def test_rows_that_can_t_be_read_do_not_say_which_columns_there_are(template: Template) -> None:
    bad = ["\0,true,en,A,B"] * (ROWS_TRIED + 5)
    extremes, rows = begin_lint(template, CAMPAIGN, people(*bad, *ROWS))
    assert len(list(rows)) == ROWS_TRIED + 5 + len(ROWS)
    assert (extremes.rows, extremes.header) == (3, tuple(HEADER.split(",")))


def test_short_rows_hide_no_column(template: Template) -> None:
    extremes, rows = begin_lint(template, CAMPAIGN, people("+12025550101,true", *ROWS))
    assert len(list(rows)) == 1 + len(ROWS)
    assert extremes.columns["city"].blank == 2


def test_a_list_without_rows_is_no_error(template: Template) -> None:
    extremes, rows = begin_lint(template, CAMPAIGN, people())
    assert list(rows) == []
    assert end_lint(template, CAMPAIGN, "messaging", extremes).errors == ()
