from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.rendering import is_blank
from genesys_cloud.outbound.violations import Refused, Violation
from tests.outbound.libraries import SHIPPED, Write

Render = Callable[..., str]


@pytest.fixture
def render(library: Write) -> Render:
    """Render one source: the text, or the codes of what is wrong."""

    def run(source: str, locale: str = "en", **variables: str) -> str:
        made = library({"greetings.toml": 'en = "Hello"', "t/en.j2": source})
        try:
            return made.load("t", "messaging:sms").render("en", locale, variables)
        except Refused as refused:
            return " ".join(violation.code for violation in refused.violations)

    return run


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en_US", "February 1, 2024"),
        ("en_GB", "1 February 2024"),
        ("es_MX", "1 de febrero de 2024"),
        ("de_AT", "1. Februar 2024"),
        ("fr_CA", "1 février 2024"),
    ],
)
def test_a_date_is_written_as_the_recipient_s_locale_does(
    render: Render, locale: str, expected: str
) -> None:
    assert render("{{ date | date }}", locale, date="2024-02-01") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ v | date('short') }}", "2/1/24"),
        ("{{ v | date('medium') }}", "Feb 1, 2024"),
        ("{{ v | date('full') }}", "Thursday, February 1, 2024"),
        ("{{ v | date('tiny') }}", "template_refused"),
    ],
)
def test_a_date_has_four_formats(render: Render, source: str, expected: str) -> None:
    assert render(source, v="2024-02-01") == expected


@pytest.mark.parametrize("value", ["2024-02-01T23:30:00Z", "2024-02-01 00:00", " 2024-02-01 "])
def test_a_time_of_day_does_not_move_the_date(render: Render, value: str) -> None:
    assert render("{{ v | date }}", v=value) == "February 1, 2024"


@pytest.mark.parametrize("value", ["tomorrow", "2024-02-30", "01/02/2024", "20", "0000-00-00"])
def test_a_value_that_is_no_date_is_named_and_not_shown(library: Write, value: str) -> None:
    template = library({"t/en.j2": "{{ name }} {{ day | date }}"}).load("t", "sms")
    with pytest.raises(Refused) as caught:
        template.render("en", "en", {"name": "Ana", "day": value})
    assert caught.value.violations == (
        Violation(
            code="invalid_value",
            message="The value of 'day' is not an ISO date such as 2024-02-01.",
        ),
    )


@pytest.mark.parametrize(
    ("source", "locale", "value", "expected"),
    [
        ("{{ v | number }}", "en", "1234567.5", "1,234,567.5"),
        ("{{ v | number }}", "de", "1234567.5", "1.234.567,5"),
        ("{{ v | number }}", "fr", "-1234", "-1 234"),  # a plain space: U+202F is not in GSM-7
        ("{{ v | money('EUR') }}", "de", "19.9", "19,90 €"),
        ("{{ v | money('USD') }}", "en_US", "1999", "$1,999.00"),
        ("{{ v | money('XYZ') }}", "en", "1", "template_refused"),
        ("{{ v | number }}", "en", "1e99", "invalid_value"),
        ("{{ v | number }}", "en", "NaN", "invalid_value"),
        ("{{ v | money('EUR') }}", "en", "1,99", "invalid_value"),
    ],
)
def test_numbers_and_money(
    render: Render, source: str, locale: str, value: str, expected: str
) -> None:
    assert render(source, locale, v=value) == expected


@pytest.mark.parametrize("blank", ["", "  ", "\t\n", "\u00a0", "\u200b"])
def test_a_blank_value_is_a_missing_one(library: Write, blank: str) -> None:
    template = library({"t/en.j2": "{{ name }} {{ day | date }} {{ pet | upper }}"}).load(
        "t", "sms"
    )
    with pytest.raises(Refused) as caught:
        template.render("en", "en", {"name": blank, "pet": "x"})
    sentences = [violation.message for violation in caught.value.violations]
    assert sentences == [
        "The template uses 'day', and the row has no value for it.",
        "The template uses 'name', and the row has no value for it.",
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% if nick %}{{ nick }}{% else %}you{% endif %}", "you"),
        ("{{ nick | default('you') }}", "you"),
        ("{{ nick if nick else 'you' }}", "you"),
        ("{% if nick is defined %}{{ nick }}{% endif %}you", "you"),
        ("{% if false %}{{ nick }}{% endif %}you", "you"),
        ("{{ nick }}", "missing_variable"),
        ("{{ nick ~ '!' }}", "missing_variable"),
        ("{{ nick | number }}", "missing_variable"),
        ("{{ nick | money('EUR') }}", "missing_variable"),
        ("{{ nick | length }}", "missing_variable"),
        ("{{ nick == 'x' }}", "missing_variable"),
        ("{% for c in nick %}{{ c }}{% endfor %}", "missing_variable"),
        ("{{ nick.first }}", "missing_variable"),
    ],
)
def test_a_variable_may_be_tested_but_not_used_when_missing(
    render: Render, source: str, expected: str
) -> None:
    assert render(source, nick=" ") == expected
    assert render(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ name.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ name.__init__.__globals__ }}",
        "{{ name['__class__'] }}",
        "{{ name.format(1) }}",
        "{{ '{:>999999999}'.format(name) }}",
        "{{ 'x'.ljust(999999999) }}",
        "{{ 'x' * 999999999 }}",
        "{{ [1] * 999999999 }}",
        "{{ '%999999999s' % name }}",
        "{{ 9 ** 999999999 }}",
        "{% for i in range(2000) %}{% endfor %}",
        "{% for i in range(1000) %}{{ name }}{{ name }}" + "x" * 200 + "{% endfor %}",
        "{{ lipsum(100000) }}",
        "{{ cycler.__init__ }}",
        "{{ self.__init__ }}",
        "{{ 1 / 0 }}",
        "{{ name() }}",
        "{{ name + 1 }}",
        "{{ name }}\0",
        "{{ name }}{{ '\\x00' }}",
        "{{ name }}{{ '\\ud83d' }}",  # no database takes half of a pair
    ],
)
def test_what_a_message_has_no_use_for_is_refused_at_once(render: Render, source: str) -> None:
    start = time.perf_counter()
    assert render(source, name="Ana") in {"template_refused", "missing_variable"}
    assert time.perf_counter() - start < 5


def test_a_refusal_does_not_quote_the_recipient_s_data(library: Write) -> None:
    template = library({"t/en.j2": "{{ name + 1 }}{{ name.x() }}"}).load("t", "sms")
    with pytest.raises(Refused) as caught:
        template.render("en", "en", {"name": "Ana Secret"})
    assert "Secret" not in str(caught.value)


def test_small_methods_and_loops_serve(render: Render) -> None:
    source = "{% for word in name.split(' ') %}{{ loop.index }}{{ word | upper }} {% endfor %}"
    assert render(source, name="ana de") == "1ANA 2DE"
    assert render("{{ 2 * 3 }}{{ 7 % 4 }}{% for i in range(3) %}{{ i }}{% endfor %}") == "63012"


@pytest.mark.parametrize(
    "column", ["greeting", "the recipient's locale", "range", "self", "loop", "environment"]
)
def test_a_column_replaces_nothing_of_ours(column: str) -> None:
    template = SHIPPED.load("appointment_reminder", "messaging:sms")
    variables = {"name": "Alex", "date": "2024-02-01", column: "de_DE"}
    text = template.render("en", "en", variables)
    assert text == "Hello Alex, your appointment is confirmed for February 1, 2024."


def test_the_text_is_stripped_and_plain(render: Render) -> None:
    assert render("\n  {{ name }}\n\n", name="<b>O'Brien & Söhne</b>") == "<b>O'Brien & Söhne</b>"


names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z", "Cf"]), min_size=1) | (
    st.sampled_from(["{{ 7*7 }}", "{% raw %}", "$&", "$1", "%s", "{0}", "{{greeting}}", "\\g<0>"])
)


@given(names, names)
def test_values_go_out_as_they_stand(name: str, order: str) -> None:
    template = SHIPPED.load("order_update", "sms")
    text = template.render("en", "en", {"name": name, "orderId": order})
    assert text == f"Hello {name}, your order {order} is ready."


@given(st.dictionaries(st.sampled_from(["name", "orderId", "greeting"]), st.text(max_size=5)))
def test_no_placeholder_is_left_and_no_value_is_dropped(variables: dict[str, str]) -> None:
    template = SHIPPED.load("order_update", "sms")
    name, order = (variables.get(column, "") for column in ("name", "orderId"))
    if is_blank(name) or is_blank(order):
        with pytest.raises(Refused):
            template.render("en", "en", variables)
    else:
        text = template.render("en", "en", variables)
        assert text == f"Hello {name}, your order {order} is ready."
