from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.filled_template import FilledTemplate

VALUES = st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=4)


def test_its_text_is_canonical_json() -> None:
    filled = FilledTemplate(
        response_id="r-1", body={"2": "A-1", "1": "Zoë"}, header={}, button_url={"q": "a/b"}
    )
    assert filled.as_text() == (
        '{"body":{"1":"Zoë","2":"A-1"},"button_url":{"q":"a/b"},"header":{},"response_id":"r-1"}'
    )


@given(st.text(min_size=1), VALUES, VALUES, VALUES)
def test_it_is_read_as_it_was_written(
    response_id: str, body: dict[str, str], header: dict[str, str], button_url: dict[str, str]
) -> None:
    filled = FilledTemplate(
        response_id=response_id, body=body, header=header, button_url=button_url
    )
    assert FilledTemplate.parse(filled.as_text()) == filled
    backwards = FilledTemplate(
        response_id=response_id,
        body=dict(reversed(body.items())),
        header=header,
        button_url=button_url,
    )
    assert backwards.as_text() == filled.as_text()


GOOD: dict[str, object] = {"response_id": "r-1", "body": {"1": "x"}, "header": {}, "button_url": {}}


@pytest.mark.parametrize(
    "text",
    [
        "Hello Alex, your order is ready.",
        "",
        "[]",
        "[" * 100_000,
        "{}",
        json.dumps({**GOOD, "carousel": {}}),
        json.dumps({**GOOD, "response_id": ""}),
        json.dumps({**GOOD, "response_id": 7}),
        json.dumps({**GOOD, "body": ["x"]}),
        json.dumps({**GOOD, "body": {"1": 1}}),
        json.dumps({**GOOD, "header": None}),
    ],
)
def test_what_is_no_filled_template_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words differ, the kind does not
        FilledTemplate.parse(text)
    assert "Alex" not in str(caught.value)


def test_no_value_shows_in_its_repr() -> None:
    filled = FilledTemplate(response_id="r-1", body={"1": "Alex"}, header={}, button_url={})
    assert "Alex" not in repr(filled)
