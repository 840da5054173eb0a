"""`{{ abort("...") }}`: a template that refuses a recipient, and those that try to misuse it."""

from __future__ import annotations

import pytest

from genesys_cloud.errors import TemplateError
from genesys_cloud.outbound.rendering import Template
from genesys_cloud.outbound.template_syntax import REASON_LIMIT
from genesys_cloud.outbound.violations import PROBLEMS, Refused, Violation
from tests.outbound.libraries import Write

SHOP = "{% if not city %}{{ abort('no shop near this customer.') }}{% endif %}Come to {{ city }}"


def load(library: Write, source: str) -> Template:
    return library({"t/en.j2": source}).load("t", "messaging:sms")


def refused(template: Template, **variables: str) -> tuple[Violation, ...]:
    with pytest.raises(Refused) as caught:
        template.render("en", "en", variables)
    return caught.value.violations


def test_the_recipient_is_blocked_with_the_template_s_reason(library: Write) -> None:
    template = load(library, SHOP)
    assert template.render("en", "en", {"city": "Lyon"}) == "Come to Lyon"
    assert refused(template, city=" ") == (
        Violation(
            code="template_aborted",
            message="Template 't' refuses this recipient: no shop near this customer.",
        ),
    )
    assert "template_aborted" in PROBLEMS


@pytest.mark.parametrize(
    "source",
    [
        '{{ abort("why") }}',
        '{{ name or abort("why") }}',
        '{{ name if name else abort("why") }}',
        '{% for i in range(3) %}{{ abort("why") }}{% endfor %}',
        '{% set made = abort("why") %}',
        '{{ ("x" ~ abort("why")) | upper }}',
    ],
)
def test_it_holds_wherever_it_stands(library: Write, source: str) -> None:
    assert [v.code for v in refused(load(library, source))] == ["template_aborted"]


def test_the_reason_comes_first_and_missing_variables_are_told_too(library: Write) -> None:
    found = refused(load(library, '{{ name }}{{ abort("why") }}'))
    assert [violation.code for violation in found] == ["template_aborted", "missing_variable"]


def test_an_approved_template_may_refuse_as_well(library: Write) -> None:
    source = """response_id = "r-1"\n[body]\n1 = '''{{ name or abort("no name") }}'''\n2 = "x"\n"""
    template = library({"t/en.whatsapp.toml": source}).load("t", "messaging:whatsapp", "agentless")
    assert '"1":"Ana"' in template.render("en", "en", {"name": "Ana"})
    (found,) = refused(template, name="")
    assert (found.code, "no name" in found.message) == ("template_aborted", True)


@pytest.mark.parametrize("column", ["abort", "range"])
def test_a_column_of_the_name_replaces_nothing(library: Write, column: str) -> None:
    source = (
        '{% for i in range(2) %}{{ i }}{% endfor %}{% if not ok %}{{ abort("why") }}{% endif %}'
    )
    template = load(library, source)
    assert template.required("en") == {"ok"}
    assert template.render("en", "en", {column: "x", "ok": "yes"}) == "01"
    assert [v.code for v in refused(template, **{column: "x"})] == ["template_aborted"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("\n{{ abort() }}", "line 2: abort takes its reason as a text in quotes"),
        ("{{ abort(1) }}", "a text in quotes"),
        ("{{ abort('') }}", "a text in quotes"),
        ("{{ abort(' ') }}", "a text in quotes"),
        ("{{ abort('a', 'b') }}", "a text in quotes"),
        ("{{ abort(reason='a') }}", "a text in quotes"),
        ("{{ abort(*name) }}", "a text in quotes"),
        ("{{ abort(name) }}", "no personal data, for it is counted and logged"),
        ("{{ abort('no shop near ' ~ city) }}", "no personal data"),
        ("{{ abort('x' | upper) }}", "no personal data"),
        ("{{ abort('" + "x" * 1_000_000 + "') }}", f"longer than {REASON_LIMIT} characters"),
        ("{{ abort }}", r"abort is a function here and no value: write abort\(\.\.\.\)"),
        ("{{ range }}", "range is a function here"),
        ("{% set stop = abort %}{{ stop(name) }}", "abort is a function here"),
        ("{% set abort = name %}", "abort is a function here"),
        ("{% for abort in name %}{% endfor %}", "abort is a function here"),
        ("{{ name | default(abort('x')) }}", r"within default\(\.\.\.\) would refuse everybody"),
        ("{{ n | plural(other=abort('x')) }}", r"within plural\(\.\.\.\) would refuse everybody"),
        ("{{ name | default('a' ~ abort('x')) }}", "would refuse everybody"),
        ("{% macro m() %}{{ abort('x') }}{% endmacro %}{{ m() }}", "macro is not available"),
        ("{% call abort('x') %}{% endcall %}", "call is not available"),
        ("{{ name | abort('x') }}", "No filter named 'abort'"),
    ],
)
def test_what_can_t_be_meant_is_found_before_anybody_is_planned(
    library: Write, source: str, words: str
) -> None:
    with pytest.raises(TemplateError, match=words) as caught:
        load(library, source)
    assert len(str(caught.value)) < 400


def test_a_reason_of_strange_characters_can_be_kept(library: Write) -> None:
    (found,) = refused(load(library, r'{{ abort("a\u0000\ud800b\n") }}'))
    assert found.message == "Template 't' refuses this recipient: a\ufffd?b."


def test_a_reason_at_the_limit_is_kept_whole(library: Write) -> None:
    (found,) = refused(load(library, '{{ abort("' + "x" * REASON_LIMIT + '") }}'))
    assert found.message.endswith("x" * REASON_LIMIT + ".")
