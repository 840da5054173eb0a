"""Who can't sign sends a key: what it opens, and what it does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.settings import Settings
from genesys_cloud.webhook import api_key, standard_webhooks
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.webhook.receiver import Receiver
from genesys_cloud.webhook.signature import sign
from tests.webhook.asgi import Answered, call, config
from tests.webhook.receiver import SECRET, event_body

KEY, OLD_KEY = "a-key-of-an-api-destination", "the-key-that-was-there-before"
EVENT = event_body("e1", "m1", "sent", "2024-01-15T10:30:45.000Z")
SIGNATURE = "X-Hub-Signature-256"


def with_keys(folder: Path, *keys: str, **changes: Any) -> ReceiverConfig:
    return replace(config(folder), api_keys=keys, **changes)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(lambda: with_keys(tmp_path, KEY, OLD_KEY))
    yield receiver
    receiver.close()


def ask(app: Receiver, headers: Mapping[str, str], body: bytes = EVENT) -> Answered:
    answer = asyncio.run(call(app, body=body, headers=headers, signed=False))
    assert answer is not None
    return answer


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_every_key_in_force_is_taken(app: Receiver, key: str) -> None:
    assert ask(app, {"x-api-key": key}).json == {"result": "parked"}


@pytest.mark.parametrize(
    "key", ["", KEY[:-1], KEY + "x", KEY.upper(), f" {KEY}", f"{KEY},{OLD_KEY}", SECRET, "ÿ" * 27]
)
def test_any_other_key_is_401_as_a_wrong_signature_is(app: Receiver, key: str) -> None:
    refused = ask(app, {"x-api-key": key})
    forged = ask(app, {SIGNATURE: sign(EVENT, "another")})
    assert (refused.status, refused.json) == (401, forged.json)


def test_without_either_it_is_401(app: Receiver) -> None:
    assert ask(app, {}).status == 401


def test_a_request_with_a_signature_is_judged_by_it(app: Receiver) -> None:
    right = {"x-api-key": KEY}
    assert ask(app, right | {SIGNATURE: sign(EVENT, "another")}).status == 401
    assert ask(app, right | {SIGNATURE: ""}).status == 401
    stale = standard_webhooks.sign(EVENT, SECRET, message_id="w", timestamp=int(time.time()) - 900)
    assert ask(app, right | stale).status == 401
    assert ask(app, {"x-api-key": "wrong", SIGNATURE: sign(EVENT, SECRET)}).status == 200


def test_where_no_key_is_configured_none_is_taken(tmp_path: Path) -> None:
    app = Receiver(lambda: config(tmp_path))
    assert ask(app, {"x-api-key": KEY}).status == 401
    assert ask(app, {"x-api-key": ""}).status == 401
    app.close()


def test_keys_alone_are_enough_and_open_nothing_else(tmp_path: Path) -> None:
    settings = Settings(webhook_spool=tmp_path / "spool", allow_unsigned_events=True)
    alone = ReceiverConfig.from_settings(
        settings, ledger_url=f"sqlite:///{tmp_path}/ledger.db", secrets=(), api_keys=(KEY,)
    )
    app = Receiver(lambda: alone)
    assert ask(app, {"x-api-key": KEY}).status == 200
    assert ask(app, {}).status == 401
    assert ask(app, {SIGNATURE: sign(EVENT, "")}).status == 401
    app.close()


def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConnectionSettingsError, match="shorter than 16") as caught:
        ReceiverConfig.from_settings(
            Settings(), ledger_url="sqlite://", secrets=(SECRET,), api_keys=("a-short-key",)
        )
    assert "a-short-key" not in str(caught.value)


def test_neither_settings_nor_configuration_show_a_key(
    tmp_path: Path, app: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.from_environment({"GENESYS_WEBHOOK_API_KEY": f"{KEY}, {OLD_KEY},"})
    assert settings.webhook_api_keys == (KEY, OLD_KEY)
    ask(app, {"x-api-key": KEY})
    ask(app, {"x-api-key": "a-wrong-key-of-somebody"})
    shown = repr(settings) + repr(with_keys(tmp_path, KEY)) + caplog.text
    assert KEY not in shown
    assert "a-wrong-key-of-somebody" not in shown


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(st.lists(KEYS, max_size=3), KEYS.map(str.encode) | st.binary(max_size=40))
def test_only_the_very_key_fits(keys: list[str], other: bytes) -> None:
    for key in keys:
        assert api_key.genuine({b"x-api-key": key.encode()}, keys)
    fits = other in {key.encode() for key in keys}
    assert api_key.genuine({b"x-api-key": other}, keys) is fits
