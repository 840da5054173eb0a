"""The lint: what it says of a template's files, and of a contact list's values in its texts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.channels import find_channel
from genesys_cloud.outbound.extremes import Extremes
from genesys_cloud.outbound.lint import Severity
from genesys_cloud.outbound.lint_values import LintReport, lint
from genesys_cloud.outbound.rendering import Template
from genesys_cloud.outbound.violations import Refused, Violation
from tests.outbound.libraries import SHIPPED, Write

GREETINGS = {"greetings.toml": 'en = "Hello"\nes = "Hola"\n'}


def run(
    template: Template,
    *rows: Mapping[str, str],
    channel: str = "messaging:sms",
    profile: str = "agentless",
    default: str = "en",
    max_segments: int | None = None,
) -> LintReport:
    found = find_channel(channel, profile)
    assert not isinstance(found, Violation)
    extremes = Extremes(template.variables) if rows else None
    if extremes is not None:
        numbered = (Row(number=number, values=row) for number, row in enumerate(rows, start=1))
        for _ in extremes.watch(numbered):
            pass
    return lint(
        template,
        channel=found,
        profile=profile,
        default_language=default,
        extremes=extremes,
        max_segments=max_segments,
    )


def linted(library: Write, files: Mapping[str, str], *rows: Mapping[str, str], **options: object):  # type: ignore[no-untyped-def]
    made = {f"t/{name}": source for name, source in files.items()}
    template = library(GREETINGS | made).load("t", "messaging:sms", "agentless")
    return run(template, *rows, **options)  # type: ignore[arg-type]  # the options of run


def told(report: LintReport, code: str) -> list[str]:
    return [finding.message for finding in report.findings if finding.code == code]


@pytest.mark.parametrize("name", SHIPPED.names())
@pytest.mark.parametrize(
    ("channel", "profile"),
    [
        ("messaging:sms", "messaging"),
        ("messaging:sms", "agentless"),
        ("messaging:whatsapp", "messaging"),
        ("messaging:facebook", "messaging"),
        ("messaging:web", "agentless"),
    ],
)
def test_the_templates_that_ship_pass(name: str, channel: str, profile: str) -> None:
    report = run(SHIPPED.load(name, channel, profile), channel=channel, profile=profile)
    assert report.findings == ()
    assert [measure.language for measure in report.measures] == ["de", "en", "es", "fr"]


# Files


def test_a_default_language_without_a_text_is_an_error(library: Write) -> None:
    report = linted(library, {"es.j2": "x"})
    (error,) = report.errors
    assert error.code == "default_language_missing"
    assert "no text in 'en', the default language; it has es" in error.message
    assert linted(library, {"en.j2": "x"}, default="en-GB").errors == ()


def test_a_translation_that_forgot_a_variable_is_named(library: Write) -> None:
    files = {"en.j2": "{{ greeting }} {{ date }}", "es.j2": "{{ greeting }}", "de.j2": "{{ date }}"}
    assert told(linted(library, files), "translation_differs") == [
        "The text in es does not use 'date', which that in de, en does.",
        "The text in de does not use 'greeting', which that in en, es does.",
    ]


def test_a_language_that_greets_in_another_is_named(library: Write) -> None:
    report = linted(
        library, {"en.j2": "{{ greeting }}", "es-MX.j2": "{{ greeting }}", "it.j2": "x"}
    )
    assert told(report, "greeting_missing") == []
    report = linted(library, {"it.j2": "{{ greeting }}"})
    assert told(report, "greeting_missing") == [
        "greetings.toml has no greeting in it: the text in it begins with 'Hello'."
    ]


def test_a_plural_without_a_form_that_its_language_takes_is_named(library: Write) -> None:
    source = '{{ n | plural(one="a", other="b") }}'
    report = linted(library, {"en.j2": source, "fr.j2": source, "ru.j2": source})
    assert told(report, "plural_form_missing") == [
        "A plural in ru has no few and no many, which whole numbers take there: they get the form "
        "of other."
    ]


def test_a_language_that_nobody_knows_is_named_and_breaks_nothing(library: Write) -> None:
    source = '{{ name | isolate }} {{ n | plural(other="x") }}'
    report = linted(library, {"en.j2": source, "qq.j2": source}, {"name": "Ana", "n": "1"})
    assert len(told(report, "language_unknown")) == 1
    assert [measure.language for measure in report.measures] == ["en", "qq"]
    files = {"en.j2": "{{ n | date }}", "qq.j2": "{{ n | date }}"}
    (refused,) = told(linted(library, files, {"n": "2027-01-02"}), "value_refused")
    assert refused.startswith("The text in qq blocks a row")


# Columns


def test_a_column_that_every_text_needs_and_the_list_lacks_is_an_error(library: Write) -> None:
    report = linted(library, {"en.j2": "{{ orderId | upper }}"}, {"orderid": "1"})
    (error,) = report.errors
    assert error.code == "column_missing"
    assert "uses 'orderId'" in error.message
    assert "it has 'orderid', and capitals count. Every row would be blocked." in error.message


@pytest.mark.parametrize(
    "source",
    [
        "{% if nick %}{{ nick }}{% endif %}Hi",
        "{{ nick | default('you') }}",
        "{{ nick or 'you' }}",
        "{{ nick if nick else 'you' }}",
        "{% if vip == 'yes' %}{{ nick }}{% endif %}Hi",
        "{% for i in range(2) %}{{ nick }}{% endfor %}",
    ],
)
def test_a_column_that_some_row_may_do_without_is_a_warning(library: Write, source: str) -> None:
    report = linted(library, {"en.j2": source}, {"name": "Ana", "vip": "yes"})
    assert report.errors == ()
    assert len(told(report, "column_missing")) == 1


def test_a_column_that_one_language_needs_is_a_warning(library: Write) -> None:
    report = linted(library, {"en.j2": "Hi", "es.j2": "{{ pet }}"}, {"name": "Ana"})
    assert report.errors == ()
    assert told(report, "column_missing") == [
        "The text in es uses 'pet', and the contact list has no such column. Whoever gets es is "
        "blocked."
    ]


def test_columns_that_nobody_uses_are_a_note(library: Write) -> None:
    row = {"address": "+1", "consent": "true", "country": "US", "name": "Ana", "pet": "Rex"}
    report = linted(library, {"en.j2": "{{ name }}"}, row)
    assert told(report, "column_unused") == ["No text uses the contact list's column pet."]
    assert [finding.severity for finding in report.findings] == [Severity.NOTE]


def test_blank_cells_are_counted_where_the_text_has_no_default(library: Write) -> None:
    source = "{{ name }} {{ nick | default('you') }}"
    rows = [{"name": name, "nick": ""} for name in ("Ana", "", " ", "Bo")]
    assert told(linted(library, {"en.j2": source}, *rows), "value_blank") == [
        "2 of 4 rows have no value in column name, and are blocked where they get en: the text "
        "there has no default for it."
    ]


# Languages


def test_a_missing_translation_is_told_with_who_reads_what(library: Write) -> None:
    tags = ["pt-BR", "pt-BR", "es-MX", "en", "", "Klingon!!", "it"]
    report = linted(
        library, {"en.j2": "x", "es.j2": "y"}, *({"language": tag, "name": "A"} for tag in tags)
    )
    assert told(report, "translation_missing") == [
        "2 recipients ask for pt-BR, and template 't' has no text in it: they get en.",
        "1 recipient asks for it, and template 't' has no text in it: they get en.",
    ]
    assert "1 rows have a language that is no tag" in told(report, "language_unreadable")[0]


def test_many_missing_languages_are_summed(library: Write) -> None:
    rows = [{"language": f"{a}{b}"} for a in "qxz" for b in "abcdefgh"]
    found = told(linted(library, {"en.j2": "x"}, *rows), "translation_missing")
    assert len(found) == 11
    assert found[-1] == "14 more languages are asked for and have no text."


# Values


def test_the_longest_values_are_held_against_the_limit(library: Write) -> None:
    rows = [{"name": "Ana", "day": "2027-05-01"}, {"name": "x" * 140, "day": "2027-09-30"}]
    report = linted(library, {"en.j2": "{{ name }} on {{ day | date }}"}, *rows, max_segments=1)
    (measure,) = report.measures
    # 140, " on " and "September 30, 2027", which is longer than May 1, 2027
    assert (measure.longest, measure.segments, measure.most_segments) == (140 + 4 + 18, 1, 2)
    assert told(report, "too_many_segments") == [
        "With the longest value of each column the text in en would be blocked: The text takes 2 "
        "SMS segments in GSM-7; the campaign takes at most 1. Shorten it, or keep to the "
        "characters of GSM-7."
    ]
    assert told(linted(library, {}, *rows, max_segments=2), "too_many_segments") == []


def test_the_dearest_value_is_not_always_the_longest(library: Write) -> None:
    rows = [{"name": "x" * 100}, {"name": "’" * 71}, {"name": "Ana"}]
    report = linted(library, {"en.j2": "{{ name }}"}, *rows)
    (measure,) = report.measures
    assert (measure.longest, measure.most_segments, measure.encoding) == (100, 2, "UCS-2")
    assert told(report, "value_not_gsm") == [
        "1 of 3 rows have characters outside GSM-7 in column name, such as ’ (U+2019): an SMS with "
        "them is UCS-2, in en up to 2 segments rather than 1, 1 fewer in GSM-7 spelling."
    ]


def test_a_value_that_turns_an_sms_and_costs_nothing_is_a_note(library: Write) -> None:
    report = linted(library, {"en.j2": "{{ name }}"}, {"name": "Ana"}, {"name": "Þór"})
    assert [(f.code, f.severity) for f in report.findings] == [("value_not_gsm", Severity.NOTE)]


def test_words_that_turn_every_sms_are_told_with_their_plain_spelling(library: Write) -> None:
    words = "We’ll see you – " + "bring your papers " * 4
    report = linted(library, {"en.j2": words + "{{ name }}"}, {"name": "Ana"})
    assert told(report, "text_not_gsm") == [
        'The words of the text in en turn every SMS into UCS-2, 2 segments. Written with "\'" for '
        "’ (U+2019), '-' for – (U+2013) they would take 1 segment."
    ]


def test_a_language_that_gsm_7_can_t_write_is_not_scolded(library: Write) -> None:
    report = linted(library, {"en.j2": "x", "ja.j2": "{{ name }}様", "ru.j2": "Привет, {{ name }}"})
    assert report.findings == () or {f.code for f in report.findings} == {"translation_differs"}


def test_values_that_a_filter_can_t_read_are_told_by_column_and_not_shown(library: Write) -> None:
    rows = [{"day": "2027-01-02"}, {"day": "the day after SECRET"}]
    report = linted(library, {"en.j2": "{{ day | date }}", "es.j2": "{{ day | date }}"}, *rows)
    assert told(report, "value_refused") == [
        "The text in en, es blocks a row with a value of column day: The value of 'day' is not an "
        "ISO date such as 2024-02-01."
    ]
    assert "SECRET" not in str(report)


def test_a_list_whose_first_rows_are_bad_is_measured_all_the_same(library: Write) -> None:
    source = '{{ day | date }} {{ at | time }} {{ n | plural(one="x", other="y") }} {{ name }}'
    rows = [{"day": "soon", "at": "", "n": "many", "name": "Ana"}] * 6
    report = linted(library, {"en.j2": source}, *rows)
    assert [measure.language for measure in report.measures] == ["en"]
    assert sorted(told(report, "value_refused"))[0].startswith("The text in en blocks a row with")


def test_a_template_that_refuses_all_that_is_tried_is_a_warning(library: Write) -> None:
    report = linted(library, {"en.j2": '{{ abort("closed") }}'}, {"name": "Ana"})
    assert report.errors == ()
    assert told(report, "value_refused") == [
        "The text in en blocks a row with the values tried: Template 't' refuses this recipient: "
        "closed."
    ]
    assert report.measures == ()


def test_a_left_to_right_value_in_a_right_to_left_text_should_be_isolated(library: Write) -> None:
    row = {"name": "Ana Lopez", "n": "3"}
    bare = linted(library, {"ar.j2": "مرحبا {{ name }} {{ n }}"}, row, default="ar")
    assert told(bare, "not_isolated") == [
        "The text in ar runs from right to left, and name may not: {{ name | isolate }} keeps such "
        "a value and what is around it in order."
    ]
    kept = linted(library, {"ar.j2": "مرحبا {{ name | isolate }} {{ n }}"}, row, default="ar")
    assert told(kept, "not_isolated") == []


def test_an_approved_template_is_measured_by_its_longest_value(library: Write) -> None:
    source = 'response_id = "r-1"\n[body]\n1 = "{{ name }}"\n2 = "ok"\n'
    template = library({"t/en.whatsapp.toml": source}).load("t", "messaging:whatsapp", "agentless")
    rows = [{"name": "Ana"}, {"name": "x" * 900}]
    report = run(template, *rows, channel="messaging:whatsapp")
    (measure,) = report.measures
    assert (measure.longest, measure.limit, measure.segments) == (900, 1024, None)
    long = run(template, *rows, {"name": "y" * 1025}, channel="messaging:whatsapp")
    assert "exceeds the limit of 1024 characters" in told(long, "value_refused")[0]


@pytest.mark.parametrize("source", ["", "{% if name %} {% endif %}"])
def test_a_text_that_is_blank_is_a_warning(library: Write, source: str) -> None:
    report = linted(library, {"en.j2": source}, {"name": "Ana"})
    assert told(report, "text_empty") == ["The text in en is blank with the values tried."]


# Enemies


def test_a_hostile_header_is_named_shortly(library: Write) -> None:
    row = {f"{number}" + "x" * 5_000: "v" for number in range(2_000)}
    report = linted(library, {"en.j2": "{{ name }}"}, row)
    assert len(report.errors) == 1
    assert len(str(report)) < 5_000


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(1000) %}{{ name }}{{ name }}{% endfor %}",
        "{{ name.__class__ }}",
        "{{ 1 / 0 }}",
        "{{ name | first | first | number }}",
    ],
)
def test_a_hostile_template_is_a_warning_and_quotes_nobody(library: Write, source: str) -> None:
    report = linted(library, {"en.j2": source}, {"name": "SECRET " * 20}, {"name": "Ana"})
    assert report.errors == ()
    assert "SECRET" not in str(report)
    assert "SECRET" not in str(report.as_json())


NAMES = st.text(st.sampled_from("aÉ’` \t`9-٣م😀{}%\u200d"), max_size=8)
DAYS = st.dates().map(str) | st.just("")
NUMBERS = st.integers(0, 10**9).map(str) | st.just("")
SOURCE = (
    """{{ name }} {{ day | date }}{% if n %} {{ n | plural(one="x", other="y’") }}{% endif %}"""
)


@given(st.lists(st.fixed_dictionaries({"name": NAMES, "day": DAYS, "n": NUMBERS}), max_size=8))
def test_no_row_s_text_is_longer_than_the_measure(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    root = tmp_path_factory.mktemp("t")
    (root / "t").mkdir()
    (root / "t" / "en.j2").write_text(SOURCE, encoding="utf-8")
    template = type(SHIPPED)(root=root).load("t", "messaging:sms", "agentless")
    report = run(template, *rows)
    for row in rows:
        try:
            text = template.render("en", "en", {name: cell.strip() for name, cell in row.items()})
        except Refused:
            continue
        (measure,) = report.measures
        assert len(text.encode("utf-16-le")) // 2 <= measure.longest
