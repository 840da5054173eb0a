"""Approved templates: what a file may say, and what is sent of it for a recipient."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.errors import CampaignDefinitionError, TemplateError
from genesys_cloud.outbound.approved_text import PARAMETER_LIMIT
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.decisions import Decision, Planner
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.response_check import ResponseDefinition, check_response
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.outbound.violations import PROBLEMS, Refused, Violation
from tests.outbound.libraries import Write

WHATSAPP = "messaging:whatsapp"
GREETINGS = {"greetings.toml": 'en = "Hello"\nes = "Hola"\n'}
RESPONSE = "5e6f2f0a-3c1d-4b6a-9d52-0c7a1f4e8b21"
ORDER = f"""\
response_id = "{RESPONSE}"

[header]
day = "{{{{ date | date }}}}"

[body]
1 = "{{{{ greeting }}}} {{{{ name }}}}"
2 = "{{{{ orderId }}}}"

[button_url]
q = "{{{{ orderId | lower }}}}"
"""


def load(library: Write, source: str, *, name: str = "en.whatsapp.toml") -> Template:
    return library(GREETINGS | {f"t/{name}": source}).load("t", WHATSAPP, "agentless")


def one(expression: str) -> str:
    """A file that has one value, written as TOML literal."""
    return f"response_id = \"r-1\"\n[body]\n1 = '''{expression}'''\n"


def violations(template: Template, **variables: str) -> list[Violation]:
    with pytest.raises(Refused) as caught:
        template.render("en", "en", variables)
    return list(caught.value.violations)


def test_a_recipient_s_values_are_filled_in_by_section(library: Write) -> None:
    template = load(library, ORDER, name="es.whatsapp.toml")
    assert template.languages == {"es"}
    assert template.required("es") == {"name", "orderId", "date"}
    text = template.render("es", "es_MX", {"name": "Ana", "orderId": "A-17", "date": "2027-01-02"})
    assert FilledTemplate.parse(text) == FilledTemplate(
        response_id=RESPONSE,
        body={"1": "Hola Ana", "2": "A-17"},
        header={"day": "2 de enero de 2027"},
        button_url={"q": "a-17"},
    )
    assert text == FilledTemplate.parse(text).as_text()


def test_only_approved_templates_count_there_and_only_texts_elsewhere(library: Write) -> None:
    made = library(
        GREETINGS
        | {
            "t/en.whatsapp.toml": ORDER,
            "t/en.j2": "text",
            "t/fr.j2": "texte",
            "t/de.whatsapp.j2": "x",
        }
    )
    assert made.load("t", WHATSAPP, "agentless").languages == {"en"}
    assert made.load("t", WHATSAPP).languages == {"en", "fr", "de"}
    assert made.load("t", WHATSAPP).render("en", "en", {}) == "text"
    assert made.load("t", "messaging:sms", "agentless").languages == {"en", "fr"}


def test_a_folder_without_approved_templates_says_which_file_to_write_and_why(
    library: Write,
) -> None:
    with pytest.raises(TemplateError) as caught:
        library({"t/en.j2": "text"}).load("t", WHATSAPP, "agentless")
    sentence = str(caught.value)
    assert "include/templates/t/<language>.whatsapp.toml with the response_id" in sentence
    assert "outside a conversation whatsapp takes approved templates only" in sentence


def test_a_folder_of_approved_templates_alone_is_a_template(library: Write) -> None:
    made = library(GREETINGS | {"t/en.whatsapp.toml": ORDER})
    assert made.names() == ["t"]
    with pytest.raises(TemplateError, match="no text for channel"):
        made.load("t", WHATSAPP)


@pytest.mark.parametrize("name", ["en.toml", "en.sms.toml", "english!.whatsapp.toml", ".toml"])
def test_a_misspelt_file_is_an_error_and_not_silence(library: Write, name: str) -> None:
    made = library(GREETINGS | {"t/en.whatsapp.toml": ORDER, f"t/{name}": ORDER})
    with pytest.raises(TemplateError, match=r"is not called <language>\.whatsapp\.toml"):
        made.load("t", WHATSAPP, "agentless")


def test_the_version_changes_with_the_file(library: Write) -> None:
    version = load(library, ORDER).version
    assert load(library, ORDER).version == version
    assert load(library, ORDER.replace("lower", "upper")).version != version
    assert load(library, ORDER.replace(RESPONSE, "r-2")).version != version
    library({"t/en.j2": "a text that is not read here"})
    assert load(library, ORDER).version == version
    assert load(library, ORDER.replace("date | date", "date")).version != version


def test_a_blank_value_and_a_missing_variable_are_told_once_each(library: Write) -> None:
    template = load(library, ORDER.replace('"{{ orderId }}"', "\"{{ note | default(' ') }}\""))
    found = violations(template, orderId="A-1", date="2027-01-02")
    assert [(violation.code, violation.message) for violation in found] == [
        ("missing_variable", "The template uses 'name', and the row has no value for it."),
        ("missing_variable", "The template's value [body] 2 is blank for this row."),
    ]


def test_a_value_over_its_limit_is_refused_and_one_at_it_goes_out(library: Write) -> None:
    template = load(library, one("{{ name }}"))
    filled = FilledTemplate.parse(template.render("en", "en", {"name": "😀" * 512}))
    assert filled.body == {"1": "😀" * (PARAMETER_LIMIT // 2)}
    (found,) = violations(template, name="x" * 1025)
    assert found.code == "parameter_too_long"
    assert found.code in PROBLEMS
    assert found.message == (
        "The template's value [body] 1 exceeds the limit of 1024 characters. Current length: 1025"
    )


def test_a_value_that_a_filter_can_t_read_is_named(library: Write) -> None:
    (found,) = violations(load(library, one("{{ day | date }}")), day="tomorrow")
    assert (found.code, "'day'" in found.message) == ("invalid_value", True)


@pytest.mark.parametrize(
    "expression",
    [
        "{{ name.__class__.__mro__ }}",
        "{{ 'x' * 999999999 }}",
        "{% for i in range(1000) %}{{ name }}" + "x" * 500 + "{% endfor %}",
        "{{ 1 / 0 }}",
        "{{ '%999999999s' % name }}",
    ],
)
def test_a_hostile_value_is_refused_at_the_row(library: Write, expression: str) -> None:
    (found,) = violations(load(library, one(expression)), name="Ana Secret")
    assert found.code == "template_refused"
    assert "Secret" not in found.message


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (one("{% for a in b %}{% for c in a %}{% endfor %}{% endfor %}"), "1: loops do not nest"),
        (one("{% include 'en.j2' %}"), r"\[body\] 1, line 1: include is not available"),
        (one("{{ name"), r"t/en\.whatsapp\.toml, \[body\] 1, line 1: unexpected end"),
        (one("{{ 1" + "0" * 5000 + " }}"), r"\[body\] 1 does not compile"),
        (one("x" * 1_000_000), r"t/en\.whatsapp\.toml is longer than 100,000 characters"),
        ("response_id = \n", r"t/en\.whatsapp\.toml does not parse"),
        ("a = " + "[" * 5000, "does not parse"),
        ("[body]\n1 = 'x'", "give response_id, in quotes"),
        ("response_id = 7", "give response_id"),
        ("response_id = ''", "give response_id"),
        ("response_id = '../tokens?x=1'", "give response_id"),
        ("response_id = 'r-1'\n[footer]\n1 = 'x'", "has footer, which means nothing here"),
        ("response_id = 'r-1'\nlanguage = 'en'", "has language, which means nothing here"),
        ("response_id = 'r-1'\nbody = 'x'", r"body is no table; write \[body\]"),
        ("response_id = 'r-1'\n[[body]]\n1 = 'x'", "body is no table"),
        ("response_id = 'r-1'\n[body]\n1 = 5", r"\[body\] 1 is not a text .* write it in quotes"),
        ("response_id = 'r-1'\n[body]\n1 = ['x']", r"\[body\] 1 is not a text"),
        ("response_id = 'r-1'\n[body.1]\na = 'x'", r"\[body\] 1 is not a text"),
        ("response_id = 'r-1'\n[body]\n1.5 = 'x'", r"\[body\] 1 is not a text"),
        ("response_id = 'r-1'\n[body]\n'' = 'x'", "is not a text by a substitution's id"),
    ],
)
def test_a_file_that_can_t_be_used_is_named_with_the_place(
    library: Write, source: str, sentence: str
) -> None:
    with pytest.raises(TemplateError, match=sentence):
        load(library, source)


def test_a_greeting_that_nobody_defined_stops_the_campaign(library: Write) -> None:
    made = library({"t/en.whatsapp.toml": one("{{ greeting }}")})
    with pytest.raises(TemplateError, match=r"\[body\] 1 uses greeting"):
        made.load("t", WHATSAPP, "agentless")


VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z", "Cf"]), min_size=1)


@given(VALUES, VALUES)
def test_values_go_out_as_they_stand(
    tmp_path_factory: pytest.TempPathFactory, name: str, order: str
) -> None:
    root = tmp_path_factory.mktemp("templates")
    (root / "t").mkdir()
    (root / "greetings.toml").write_text('en = "Hello"')
    (root / "t" / "en.whatsapp.toml").write_text(ORDER, encoding="utf-8")
    template = TemplateLibrary(root=root).load("t", WHATSAPP, "agentless")
    text = template.render("en", "en", {"name": name, "orderId": order, "date": "2027-01-02"})
    assert FilledTemplate.parse(text).body == {"1": f"Hello {name}", "2": order}


# A campaign


CAMPAIGN = Campaign(
    campaign_id="orders",
    audience="people.csv",
    template="t",
    channel=WHATSAPP,
    sender="0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11",
)
GOOD = {"address": "+12025550123", "consent": "true", "name": "Alex", "orderId": "A-1"}


def decide(library: Write, **changes: str) -> Decision:
    planner = Planner(CAMPAIGN, load(library, ORDER), "agentless")
    return planner.decide(Row(number=1, values={**GOOD, "date": "2027-01-02", **changes}))


def test_a_row_becomes_a_filled_template(library: Write) -> None:
    decision = decide(library)
    assert decision.violations == ()
    assert decision.address == "whatsapp:+12025550123"
    assert FilledTemplate.parse(decision.text).body == {"1": "Hello Alex", "2": "A-1"}


def test_a_filled_template_longer_than_any_text_goes_out(library: Write) -> None:
    decision = decide(library, name="x" * 1000, orderId="y" * 1000)
    assert decision.violations == ()
    assert len(decision.text) > 2000


def test_a_row_is_blocked_with_all_that_is_wrong(library: Write) -> None:
    decision = decide(library, name="", consent="false", orderId="y" * 2000)
    assert [violation.code for violation in decision.violations] == [
        "missing_variable", "parameter_too_long", "parameter_too_long", "consent_not_verified",
    ]  # fmt: skip


def test_a_sender_that_is_a_number_stops_the_campaign_and_says_what_it_should_be(
    library: Write,
) -> None:
    campaign = replace(CAMPAIGN, sender="whatsapp:+12025550100")
    with pytest.raises(CampaignDefinitionError, match="the id of its integration or deployment"):
        Planner(campaign, load(library, ORDER), "agentless")


# What Genesys has


DEFINITION = ResponseDefinition(
    response_id=RESPONSE,
    name="order",
    kind="MessagingTemplate",
    required=frozenset({"1", "2", "q"}),
    optional=frozenset({"day"}),
    language="en_US",
    status="APPROVED",
)


def check(library: Write, source: str = ORDER, **changes: object) -> tuple[str, ...]:
    text = load(library, source).texts["en"]
    definition = replace(DEFINITION, **changes)  # type: ignore[arg-type]  # any field
    return check_response(definition, text, "en")  # type: ignore[arg-type]  # an ApprovedText


def test_a_file_that_binds_what_genesys_asks_for_passes(library: Write) -> None:
    assert check(library) == ()
    assert check(library, language=None, status=None) == ()
    assert check(library, ORDER.replace('day = "{{ date | date }}"', "")) == ()  # has a default


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"kind": "Footer"}, ["It is a response of type Footer, not MessagingTemplate."]),
        ({"status": "PAUSED"}, ["Its status is PAUSED: WhatsApp has not approved it."]),
        ({"language": "pt_BR"}, ["Its language is pt_BR, and the file's is en."]),
        (
            {"required": frozenset({"1", "3", "4"}), "optional": frozenset()},
            ["It needs a value for '3', '4'.", "It has no substitution '2', 'day', 'q'."],
        ),
    ],
)
def test_every_difference_from_genesys_is_told(
    library: Write, changes: dict[str, object], sentences: list[str]
) -> None:
    assert list(check(library, **changes)) == sentences
