"""What is read as a status event, and what is refused; nothing else ever comes out of a body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given

from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook.events import Body, NotAnEventError, read_events
from tests.webhook.odd_bodies import bodies

AT = "2024-01-15T10:30:45.000Z"


def event(**changes: Any) -> dict[str, Any]:
    """Return an event in the tutorial's form, with other data."""
    return {"id": "e1", "data": {"messageId": "m1", "status": "sent", "timestamp": AT} | changes}


def read(value: object) -> Body:
    return read_events(json.dumps(value).encode())


def test_one_event_is_no_batch_and_an_array_is_one() -> None:
    assert not read(event()).is_batch
    assert read([event()]).is_batch
    assert [one.message_id for one in read([event(), event(messageId="m2")]).events] == ["m1", "m2"]


def test_members_that_are_no_events_are_named_and_the_others_read() -> None:
    body = read([event(), 7, event(messageId="m2"), event(status=None)])
    assert [one.message_id for one in body.events] == ["m1", "m2"]
    assert [number for number, _ in body.refused] == [1, 3]


@pytest.mark.parametrize("value", [[], [1, 2], [[event()]], [{}]])
def test_an_array_without_an_event_is_refused(value: object) -> None:
    with pytest.raises(NotAnEventError, match=r"None of the array's \d members"):
        read(value)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_is_refused(word: str) -> None:
    body = json.dumps(event()).replace('"e1"', word).encode()
    with pytest.raises(NotAnEventError):
        read_events(body)


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", "9" * 201])
def test_a_number_that_names_nothing_is_refused(number: str) -> None:
    body = json.dumps(event()).replace('"e1"', number).encode()
    with pytest.raises(NotAnEventError):
        read_events(body)


@pytest.mark.parametrize("field", ["messageId", "status", "timestamp"])
@pytest.mark.parametrize("odd", ["\\u0000", "\\ud800", "\\udfff", "\\u200b", "\\n"])
def test_a_character_that_some_store_would_choke_on_is_refused(field: str, odd: str) -> None:
    # Python takes any character between a date and a time: see the timestamp.
    plain = {"messageId": "mT1", "status": "sTt", "timestamp": AT}[field]
    body = json.dumps(event(**{field: plain})).replace(plain, plain.replace("T", odd))
    with pytest.raises(NotAnEventError):
        read_events(body.encode())


def test_of_a_key_that_comes_twice_the_last_value_counts() -> None:
    body = json.dumps(event()).replace('"sent"', '"read", "status": "delivered"').encode()
    assert read_events(body).events[0].status == "delivered"


def test_a_byte_order_mark_is_no_harm() -> None:
    assert read_events(b"\xef\xbb\xbf" + json.dumps(event()).encode()) == read(event())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_refused(encoding: str) -> None:
    body = json.dumps(event(messageId="mü"), ensure_ascii=False).encode(encoding)
    with pytest.raises(NotAnEventError):
        read_events(body)


@given(bodies)
@example(b"[" * 200_000)
@example(b'{"a":' * 40_000)
@example(b'{"data":{"messageId":"m","status":"s","timestamp":"2024-01-15\\u000010:30:45Z"}}')
def test_any_body_is_events_that_can_be_stored_or_is_refused(body: bytes) -> None:
    events, refusal = read_or_refuse(body)
    assert bool(events) != bool(refusal)
    assert len(refusal) < 500
    for one in events:
        stored = (one.event_id, one.message_id, one.status)
        assert all(word.isprintable() and word for word in stored)
        assert all(len(word) <= most for word, most in zip(stored, (512, 200, 64), strict=True))
        assert one.occurred_at.utcoffset() is not None


def read_or_refuse(body: bytes) -> tuple[Sequence[StatusEvent], str]:
    """Return the events of a body, or why there are none."""
    try:
        return read_events(body).events, ""
    except NotAnEventError as error:
        return (), str(error)
