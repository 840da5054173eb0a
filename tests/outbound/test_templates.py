from __future__ import annotations

import pytest

from genesys_cloud.errors import TemplateError
from tests.outbound.libraries import SHIPPED, Write

GREETINGS = {"greetings.toml": 'en = "Hello"\nes = "Hola"\n'}


def test_the_tutorial_s_text_in_four_languages() -> None:
    template = SHIPPED.load("appointment_reminder", "messaging:whatsapp")
    variables = {"name": "Alex", "date": "2024-02-01"}
    texts = {tag: template.render(tag, tag, variables) for tag in sorted(template.languages)}
    assert texts == {
        "de": "Hallo Alex, Ihr Termin am 1. Februar 2024 ist bestätigt.",
        "en": "Hello Alex, your appointment is confirmed for February 1, 2024.",
        "es": "Hola Alex, tu cita queda confirmada para el 1 de febrero de 2024.",
        "fr": "Bonjour Alex, votre rendez-vous est confirmé pour le 1 février 2024.",
    }


def test_the_order_update_in_four_languages() -> None:
    template = SHIPPED.load("order_update", "messaging:sms")
    variables = {"name": "Alex", "orderId": "A-17"}
    texts = {tag: template.render(tag, tag, variables) for tag in sorted(template.languages)}
    assert texts == {
        "de": "Hallo Alex, Ihre Bestellung A-17 liegt für Sie bereit.",
        "en": "Hello Alex, your order A-17 is ready.",
        "es": "Hola Alex, tu pedido A-17 ya se puede recoger.",
        "fr": "Bonjour Alex, votre commande A-17 est disponible.",
    }


def test_the_variables_of_a_template_are_known_without_the_greeting() -> None:
    template = SHIPPED.load("appointment_reminder", "messaging:sms")
    assert template.required("es") == {"name", "date"}


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    with pytest.raises(TemplateError, match="appointment_reminder, order_update"):
        SHIPPED.load("reminder", "messaging:sms")


@pytest.mark.parametrize("name", ["..", "../secrets", "a/b", "/etc", "", ".", "a\\b", "order\n"])
def test_a_name_can_t_leave_the_folder(library: Write, name: str) -> None:
    with pytest.raises(TemplateError, match="There is no template"):
        library({"a/b/en.j2": "secret", "en.j2": "secret"}).load(name, "messaging:sms")


def test_the_file_of_the_channel_wins(library: Write) -> None:
    files = {"t/en.j2": "long", "t/en.sms.j2": "short", "t/es.j2": "largo", "t/fr.whatsapp.j2": "x"}
    sms = library(files).load("t", "messaging:sms")
    web = library(files).load("t", "messaging:web")
    assert {tag: sms.render(tag, tag, {}) for tag in sms.languages} == {
        "en": "short",
        "es": "largo",
    }
    assert web.render("en", "en", {}) == "long"
    assert web.languages == {"en", "es"}
    assert sms.version != web.version


def test_a_provider_word_serves_as_a_channel(library: Write) -> None:
    template = library({"t/en.sms.j2": "short"}).load("t", "sms")
    assert template.languages == {"en"}


@pytest.mark.parametrize("name", ["en.smss.j2", "english!.j2", "en.sms.old.j2", ".j2"])
def test_a_misspelt_file_is_an_error_and_not_silence(library: Write, name: str) -> None:
    with pytest.raises(TemplateError, match=r"is not called <language>\[\.<channel>\]\.j2"):
        library({"t/en.j2": "x", f"t/{name}": "x"}).load("t", "messaging:sms")


def test_a_template_without_a_text_for_the_channel_is_an_error(library: Write) -> None:
    with pytest.raises(TemplateError, match="no text for channel 'messaging:web'"):
        library({"t/en.sms.j2": "short"}).load("t", "messaging:web")


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("fine\n{{ name", 2, "unexpected end of template"),
        ("{% if name %}\n{{ name }}", 2, "Unexpected end"),
        ("\n{{ name | shout }}", 2, "No filter named 'shout'"),
        ("{{ name | center(999999999) }}", 1, "No filter named 'center'"),
        ("\n\n{% include 'other.j2' %}", 3, "include is not available"),
        ("{% extends 'other.j2' %}", 1, "extends is not available"),
        ("{% import 'other.j2' as o %}", 1, "import is not available"),
        ("{% from 'other.j2' import o %}", 1, "import is not available"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", 1, "macro is not available"),
        ("{% block b %}{% endblock %}", 1, "block is not available"),
        ("{% for a in name %}\n{% for b in name %}x{% endfor %}{% endfor %}", 2, "do not nest"),
        ("{% for a in name recursive %}{{ loop(name) }}{% endfor %}", 1, "not recursive"),
    ],
)
def test_a_file_that_does_not_parse_is_named_with_its_line(
    library: Write, source: str, line: int, words: str
) -> None:
    with pytest.raises(TemplateError, match=rf"t/es\.j2, line {line}: .*{words}"):
        library({"t/en.j2": "fine", "t/es.j2": source}).load("t", "messaging:sms")


@pytest.mark.parametrize(
    "source", ["{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{{ 1" + "0" * 5000 + " }}"]
)
def test_what_python_itself_can_t_compile_is_a_template_error(library: Write, source: str) -> None:
    with pytest.raises(TemplateError, match=r"t/en\.j2 does not compile"):
        library({"t/en.j2": source}).load("t", "messaging:sms")


def test_a_file_that_is_not_utf_8_is_named(library: Write) -> None:
    made = library({"t/en.j2": ""})
    (made.root / "t" / "en.j2").write_bytes(b"caf\xe9")
    with pytest.raises(TemplateError, match=r"t/en\.j2 is not UTF-8"):
        made.load("t", "messaging:sms")


def test_the_message_names_no_folder_of_the_machine(library: Write) -> None:
    made = library({"t/en.j2": "{{"})
    with pytest.raises(TemplateError) as caught:
        made.load("t", "messaging:sms")
    assert str(made.root) not in str(caught.value)


def test_the_greeting_follows_the_template_s_language(library: Write) -> None:
    files = {f"t/{tag}.j2": "{{ greeting }}" for tag in ("en", "es-MX", "it")}
    template = library(GREETINGS | files).load("t", "messaging:sms")
    greetings = {tag: template.render(tag, "en", {}) for tag in template.languages}
    assert greetings == {"en": "Hello", "es-MX": "Hola", "it": "Hello"}


def test_a_greeting_that_nobody_defined_stops_the_campaign(library: Write) -> None:
    with pytest.raises(TemplateError, match=r"uses greeting, and greetings\.toml has none"):
        library({"t/en.j2": "{{ greeting }}"}).load("t", "messaging:sms")


def test_greetings_that_do_not_parse_stop_the_campaign(library: Write) -> None:
    with pytest.raises(TemplateError, match=r"greetings\.toml does not parse"):
        library({"t/en.j2": "x", "greetings.toml": "en = Hello"}).load("t", "messaging:sms")


def test_the_version_changes_with_the_words_and_with_nothing_else(library: Write) -> None:
    files = {"t/en.j2": "{{ greeting }}", "t/fr.web.j2": "a", "u/en.j2": "plain"}
    first = library(GREETINGS | files)
    version, plain = first.load("t", "sms").version, first.load("u", "sms").version
    assert len(version) == 12
    assert first.load("t", "sms").version == version
    other = library({"t/fr.web.j2": "b"})
    assert other.load("t", "sms").version == version  # a text that SMS does not use
    greeted = library({"greetings.toml": 'en = "Hi"'})
    assert greeted.load("t", "sms").version != version
    assert greeted.load("u", "sms").version == plain
