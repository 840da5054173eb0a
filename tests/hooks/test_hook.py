"""The hook: what a connection, or the environment, means; what the Test button finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
from genesys_cloud.settings import Account
from tests.closed_port import closed_port
from tests.simulator.server import SimulatorProcess

CONNECTION = "AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT"
LEDGER = "AIRFLOW_CONN_GENESYS_LEDGER"
SECRETS = ("a-client-secret", "first-webhook-secret", "second-webhook-secret")


def described(**changes: Any) -> str:
    """Return a connection as JSON, as AIRFLOW_CONN_ variables hold it."""
    fields = {"conn_type": "genesys_cloud", "login": "an-id", "password": "a-client-secret"}
    return json.dumps(fields | changes)


def account(monkeypatch: pytest.MonkeyPatch, connection: str) -> Account:
    """Return the account that a connection describes."""
    monkeypatch.setenv(CONNECTION, connection)
    return GenesysCloudHook().account()


def test_a_connection_in_json_fills_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {
        "region": "eu-central-1",
        "profile": "messaging",
        "requests_per_minute": 60,
        "timeout_s": 12.5,
        "webhook_secret": "first-webhook-secret",
    }
    assert account(monkeypatch, described(extra=extra)) == Account(
        name="genesys_cloud_default",
        client_id="an-id",
        client_secret="a-client-secret",
        region="eu-central-1",
        base_url=None,
        profile="messaging",
        requests_per_minute=60,
        timeout_s=12.5,
        webhook_secrets=("first-webhook-secret",),
    )


def test_what_a_connection_leaves_out_has_the_documented_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty = {"region": "", "profile": None, "requests_per_minute": "", "webhook_secret": ""}
    for extra in ({}, empty):
        found = account(monkeypatch, described(extra=extra))
        assert (found.region, found.profile) == ("us-east-1", "auto")
        assert (found.requests_per_minute, found.timeout_s) == (None, 30)
        assert (found.base_url, found.webhook_secrets) == (None, ())


def test_a_connection_in_a_uri_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # A scheme may not hold an underscore; Airflow takes a dash for it.
    uri = (
        "genesys-cloud://an-id:a%2Fclient%2Fsecret@http%3A%2F%2F127.0.0.1%3A8900/"
        "?region=eu-west-1&requests_per_minute=60&webhook_secret=first-webhook-secret"
    )
    found = account(monkeypatch, uri)
    assert (found.client_id, found.client_secret) == ("an-id", "a/client/secret")
    assert (found.base_url, found.region) == ("http://127.0.0.1:8900", "eu-west-1")
    assert (found.requests_per_minute, found.webhook_secrets) == (60, ("first-webhook-secret",))


@pytest.mark.parametrize(
    ("fields", "base_url"),
    [
        ({}, None),
        ({"host": ""}, None),
        ({"host": "http://127.0.0.1:8900"}, "http://127.0.0.1:8900"),
        ({"host": "http://127.0.0.1:8900/"}, "http://127.0.0.1:8900/"),
        ({"host": "http://127.0.0.1:8900", "port": 8900}, "http://127.0.0.1:8900"),
        ({"host": "http://127.0.0.1", "port": 8900}, "http://127.0.0.1:8900"),
        ({"host": "127.0.0.1", "port": 8900, "schema": "http"}, "http://127.0.0.1:8900"),
        ({"host": "proxy.example.org"}, "https://proxy.example.org"),
        ({"host": "http://[::1]", "port": 8900}, "http://[::1]:8900"),
    ],
)
def test_the_base_url_is_put_together_from_what_airflow_keeps(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], base_url: str | None
) -> None:
    assert account(monkeypatch, described(**fields)).base_url == base_url


def test_the_webhook_secret_may_be_a_list_while_it_is_exchanged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = ["first-webhook-secret", "second-webhook-secret"]
    found = account(monkeypatch, described(extra={"webhook_secret": both}))
    assert found.webhook_secrets == tuple(both)


def test_without_a_connection_the_environment_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYS_CLIENT_ID", "an-id")
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "a-client-secret")
    monkeypatch.setenv("GENESYS_REGION", "ap-southeast-2")
    monkeypatch.setenv("GENESYS_BASE_URL", "http://127.0.0.1:8900")
    monkeypatch.setenv("GENESYS_WEBHOOK_SECRET", "first-webhook-secret, second-webhook-secret")
    assert GenesysCloudHook(profile="messaging").account() == Account(
        name="genesys_cloud_default",
        client_id="an-id",
        client_secret="a-client-secret",
        region="ap-southeast-2",
        base_url="http://127.0.0.1:8900",
        profile="messaging",
        webhook_secrets=("first-webhook-secret", "second-webhook-secret"),
    )


def test_a_connection_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYS_CLIENT_ID", "another-id")
    monkeypatch.setenv("GENESYS_REGION", "ap-southeast-2")
    found = account(monkeypatch, described())
    assert (found.client_id, found.region) == ("an-id", "us-east-1")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"login": ""}, "has no OAuth client id or secret. Fill in login and password"),
        ({"password": None}, "has no OAuth client id or secret. Fill in login and password"),
        ({"extra": {"profile": "soap"}}, "profile 'soap'; use auto, messaging or agentless"),
        ({"extra": {"profile": ["soap"]}}, "use auto, messaging or agentless"),
        ({"extra": {"requests_per_minute": "many"}}, "Correct requests_per_minute and timeout_s"),
        ({"extra": {"requests_per_minute": 0}}, "requests_per_minute of at least 1"),
        ({"extra": {"requests_per_minute": 1e999}}, "Correct requests_per_minute"),
        ({"extra": {"timeout_s": [30]}}, "Correct requests_per_minute and timeout_s"),
        ({"extra": {"timeout_s": 0}}, "timeout_s above 0"),
        ({"extra": {"timeout_s": "nan"}}, "timeout_s above 0"),
        ({"extra": {"timeout_s": "inf"}}, "timeout_s above 0"),
        ({"extra": ["eu-west-1"]}, "extra that is no JSON object. Write it as"),
    ],
)
def test_a_wrong_field_is_a_sentence_that_names_the_connection(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ConnectionSettingsError) as caught:
        account(monkeypatch, described(**fields))
    assert sentence in str(caught.value)
    assert "'genesys_cloud_default'" in str(caught.value)
    assert "a-client-secret" not in str(caught.value)


def test_nothing_at_all_is_a_sentence_too() -> None:
    with pytest.raises(ConnectionSettingsError, match="GENESYS_CLIENT_ID and GENESYS_CLIENT_SECR"):
        GenesysCloudHook().account()


def test_the_test_button_authenticates_and_shows_what_it_found(
    monkeypatch: pytest.MonkeyPatch, simulator: SimulatorProcess
) -> None:
    connection = described(
        login=simulator.client_id, password=simulator.client_secret, host=simulator.url
    )
    monkeypatch.setenv(CONNECTION, connection)
    good, sentence = GenesysCloudHook().test_connection()
    assert good
    assert f"Authenticated at {simulator.url}/oauth/token" in sentence
    assert "messaging:messages:write" in sentence
    assert "missing: none" in sentence
    assert "Profile messaging: the host answers 200" in sentence
    assert "Limit: 300 requests a minute (the header" in sentence
    assert "3599 s" in sentence


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port where nobody listens, and which nobody else gets."""
    with closed_port() as port:
        yield port


def test_the_test_button_names_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, simulator: SimulatorProcess, unused_port: int
) -> None:
    closed = f"http://127.0.0.1:{unused_port}"
    right = {"login": simulator.client_id, "password": simulator.client_secret}
    for fields, words in (
        ({"login": simulator.client_id, "host": simulator.url}, ["401", simulator.url]),
        (right | {"host": closed}, [closed]),
        (right | {"host": f"{simulator.url}/elsewhere"}, [f"{simulator.url}/elsewhere"]),
        (right | {"extra": {"region": "mars-1"}}, ["mars-1", "us-east-1"]),
    ):
        monkeypatch.setenv(CONNECTION, described(**fields))
        good, sentence = GenesysCloudHook().test_connection()
        assert not good
        assert [word for word in words if word not in sentence] == []
        assert "a-client-secret" not in sentence
        assert simulator.client_secret not in sentence


def test_secrets_are_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"webhook_secret": ["first-webhook-secret", "second-webhook-secret"]}
    monkeypatch.setenv(CONNECTION, described(extra=extra))
    hook = GenesysCloudHook()
    with hook.get_conn() as client:
        shown = [repr(thing) + str(thing) for thing in (hook, hook.account(), client)]
        shown += [repr(vars(client))]
    assert [secret for secret in SECRETS if secret in "".join(shown)] == []


def test_airflow_masks_the_secrets_in_every_log(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk._shared.secrets_masker import redact

    # Of this test alone: what is masked once stays masked in a process.
    first, second, third = "masked-client", "masked-webhook", "hidden-successor"
    line = f"sent with {first} and {second} and {third}"
    assert redact(line) == line
    account(monkeypatch, described(password=first, extra={"webhook_secret": [second, third]}))
    assert redact(line) == "sent with *** and *** and ***"

    monkeypatch.delenv(CONNECTION)
    monkeypatch.setenv("GENESYS_CLIENT_ID", "an-id")
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "masked-from-environment")
    assert redact("masked-from-environment") != "***"
    GenesysCloudHook().account()
    assert redact("masked-from-environment") == "***"


def test_a_token_is_kept_for_the_user_alone(
    monkeypatch: pytest.MonkeyPatch, simulator: SimulatorProcess, state_dir: Path
) -> None:
    connection = described(
        login=simulator.client_id, password=simulator.client_secret, host=simulator.url
    )
    monkeypatch.setenv(CONNECTION, connection)
    with GenesysCloudHook().get_conn() as client:
        client.authenticate()
    files = [file for file in state_dir.rglob("*") if file.is_file()]
    assert files
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ("sqlite:////var/lib/ledger.db", "sqlite:////var/lib/ledger.db"),
        ("sqlite://%2Fvar%2Flib%2Fledger.db", "sqlite:////var/lib/ledger.db"),
        (
            json.dumps({"conn_type": "sqlite", "host": "/var/lib/ledger.db"}),
            "sqlite:////var/lib/ledger.db",
        ),
        (
            "postgresql://user:p%40ss@db:5432/ledger?sslmode=require",
            "postgres://user:p%40ss@db:5432/ledger?sslmode=require",
        ),
        (
            json.dumps(
                {
                    "conn_type": "postgres",
                    "login": "user",
                    "password": "p@ss/word",
                    "host": "db",
                    "port": 5432,
                    "schema": "ledger",
                    "extra": {"sslmode": "require"},
                }
            ),
            "postgres://user:p%40ss%2Fword@db:5432/ledger?sslmode=require",
        ),
    ],
)
def test_the_connection_genesys_ledger_says_where_the_ledger_is(
    monkeypatch: pytest.MonkeyPatch, connection: str, url: str
) -> None:
    monkeypatch.setenv("GENESYS_LEDGER_URL", "sqlite:////elsewhere.db")
    monkeypatch.setenv(LEDGER, connection)
    assert ledger_url() == url


def test_what_airflow_makes_of_a_postgres_address_opens(
    monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    from genesys_cloud.ledger.database import open_ledger

    monkeypatch.setenv(LEDGER, postgres_url)
    ledger = open_ledger(ledger_url())
    assert ledger.engine.dialect.name == "postgresql"
    ledger.close()


def test_without_that_connection_the_environment_says_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert ledger_url() == f"sqlite:///{tmp_path}/genesys_ledger.db"
    monkeypatch.setenv("GENESYS_LEDGER_URL", "sqlite:////elsewhere.db")
    assert ledger_url() == "sqlite:////elsewhere.db"
