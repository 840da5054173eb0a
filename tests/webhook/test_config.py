from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.settings import Settings
from genesys_cloud.webhook.config import READ_AGAIN_S, ConfigSource, ReceiverConfig
from tests.webhook.asgi import config
from tests.webhook.receiver import ReceiverProcess, event_body


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Connection:
    """What the receiver is told; a test changes it, or takes it away."""

    def __init__(self, first: ReceiverConfig) -> None:
        self.config, self.fails, self.reads = first, False, 0

    def __call__(self) -> ReceiverConfig:
        self.reads += 1
        if self.fails:
            raise ConnectionSettingsError("the connection can't be read")
        return self.config


def test_a_secret_that_is_rotated_counts_after_a_minute(tmp_path: Path) -> None:
    clock, connection = Clock(), Connection(config(tmp_path, "old"))
    source = ConfigSource(connection, clock)
    assert source.fresh is None
    assert source.read().secrets == ("old",)
    connection.config = replace(connection.config, secrets=("new", "old"))
    clock.now += READ_AGAIN_S - 1
    assert source.read().secrets == ("old",)
    assert connection.reads == 1
    clock.now += 1
    assert source.fresh is None
    assert source.read().secrets == ("new", "old")


def test_a_connection_that_cant_be_read_leaves_the_last_one_in_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, connection = Clock(), Connection(config(tmp_path, "old"))
    source = ConfigSource(connection, clock)
    source.read()
    connection.fails = True
    clock.now += READ_AGAIN_S
    assert source.read().secrets == ("old",)
    assert source.fresh is not None  # and it is not asked for at every request
    assert "goes on with the configuration" in caplog.text


def test_without_a_first_configuration_there_is_none(tmp_path: Path) -> None:
    connection = Connection(config(tmp_path))
    connection.fails = True
    source = ConfigSource(connection)
    with pytest.raises(ConnectionSettingsError):
        source.read()
    connection.fails = False
    assert source.read() == connection.config


def test_unsigned_events_are_warned_of_when_they_begin_to_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    unsigned = replace(config(tmp_path), secrets=(), allow_unsigned=True)
    connection = Connection(unsigned)
    source = ConfigSource(connection, clock)
    with caplog.at_level(logging.WARNING):
        source.read()
        clock.now += READ_AGAIN_S
        source.read()
    assert caplog.text.count("UNSIGNED") == 1


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    assert "very-secret" not in repr(config(tmp_path, "very-secret"))


@pytest.mark.parametrize("word", ["", "yes", "1", "true", "YES-I-KNOW"])
def test_no_other_word_allows_unsigned_events(word: str) -> None:
    settings = Settings.from_environment({"GENESYS_WEBHOOK_ALLOW_UNSIGNED": word})
    with pytest.raises(ConnectionSettingsError, match="GENESYS_WEBHOOK_ALLOW_UNSIGNED=yes-i-know"):
        ReceiverConfig.from_settings(settings, ledger_url="sqlite:///x.db", secrets=())


@pytest.mark.parametrize("name", ["GENESYS_WEBHOOK_TOLERANCE_S", "GENESYS_WEBHOOK_SPOOL_BYTES"])
@pytest.mark.parametrize("word", ["-1", "many", "1.5", "²"])
def test_a_number_that_is_none_is_named(name: str, word: str) -> None:
    with pytest.raises(ConnectionSettingsError, match=name):
        Settings.from_environment({name: word})


def test_the_spool_lies_below_airflows_home_unless_it_is_told(tmp_path: Path) -> None:
    home = {"AIRFLOW_HOME": "/opt/airflow"}
    told = home | {"GENESYS_WEBHOOK_SPOOL": "/var/spool/events"}
    assert (
        str(Settings.from_environment(home).webhook_spool) == "/opt/airflow/genesys_webhook_spool"
    )
    assert str(Settings.from_environment(told).webhook_spool) == "/var/spool/events"


@pytest.mark.parametrize("by_option", [True, False])
def test_unsigned_events_by_option_or_by_setting_with_a_warning_at_the_start(
    tmp_path: Path, by_option: bool
) -> None:
    arguments = ["--allow-unsigned"] if by_option else []
    settings = {} if by_option else {"GENESYS_WEBHOOK_ALLOW_UNSIGNED": "yes-i-know"}
    url = f"sqlite:///{tmp_path}/ledger.db"
    with ReceiverProcess(url, *arguments, secret="", settings=settings) as receiver:
        body = event_body("e1", "m1", "sent", "2024-01-15T10:30:45.000Z")
        assert receiver.post(body, signature="").json() == {"result": "parked"}
        assert "UNSIGNED" in receiver.stop()
