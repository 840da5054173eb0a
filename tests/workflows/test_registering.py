"""The receiver's address is tried before Genesys hears of it: a real receiver, and what is none."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.receiver_address import ReceiverAddress
from genesys_cloud.errors import ConnectionSettingsError, ReceiverCheckError
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.tables import status_events
from genesys_cloud.settings import Account
from genesys_cloud.webhook.signature import HEADER, sign
from genesys_cloud.workflows.registering import Registered, check, register
from tests.api.wire import Behaviour, Seen, WireServer, closes, http, says
from tests.closed_port import closed_port
from tests.simulator.caller import Caller
from tests.simulator.server import PATIENCE_S, SimulatorProcess
from tests.webhook.receiver import SECRET, ReceiverProcess

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TRIED = http(200, b'{"result": "test"}')
REFUSED = http(401, b'{"error": "no"}')


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


@pytest.fixture
def webhooks(simulator: SimulatorProcess) -> Iterator[Any]:
    """Return what lists the webhooks of the simulator."""
    caller = Caller(simulator)
    yield lambda: caller.get("/api/v2/webhooks").json()["entities"]
    caller.close()


def registered(ledger: Ledger, client: GenesysClient, url: str, **options: Any) -> Registered:
    return register(
        ledger, client, url, **({"secret": SECRET, "actor": "ann", "now": NOW} | options)
    )


def failure(url: str, *, secret: str | None = SECRET, timeout_s: float = 60) -> str:
    """Return the sentence with which an address is turned down."""
    with pytest.raises(ReceiverCheckError) as caught:
        check(ReceiverAddress(url=url), secret, timeout_s=timeout_s)
    sentence = str(caught.value)
    assert "Nothing was registered" in sentence
    assert SECRET not in sentence
    return sentence


def test_a_receiver_is_tried_registered_once_and_audited_without_its_secret(
    ledger: Ledger, ledger_url: str, client: GenesysClient, webhooks: Any
) -> None:
    with ReceiverProcess(ledger_url) as receiver:
        first = registered(ledger, client, receiver.url)
        again = registered(ledger, client, receiver.url)
    assert (first.registration.created, first.checked) == (True, True)
    assert (again.registration.id, again.registration.created) == (first.registration.id, False)
    (webhook,) = webhooks()
    assert webhook["httpTarget"]["url"] == receiver.url

    entries = [entry for entry in audit.read(ledger) if entry["action"] == "webhook.registered"]
    assert [entry["actor"] for entry in entries] == ["ann", "ann"]
    assert entries[0]["details"] == {
        "url": receiver.url, "id": first.registration.id,
        "created": True, "updated": False, "disabled": [], "checked": True, "takes_forged": False,
    }  # fmt: skip
    assert SECRET not in str(entries)
    # The trial events left nothing: no event, no audit entry.
    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(status_events)).scalar() == 0
    assert len(entries) == len(list(audit.read(ledger)))


def test_what_fails_the_trial_is_not_registered(
    ledger: Ledger, client: GenesysClient, webhooks: Any
) -> None:
    with (
        WireServer(says(http(404, b"welcome"))) as server,
        pytest.raises(ReceiverCheckError, match="nothing receives events there"),
    ):
        registered(ledger, client, server.url)
    assert webhooks() == []
    assert list(audit.read(ledger)) == []


def test_what_takes_unsigned_events_too_is_registered_with_a_warning(
    ledger: Ledger, client: GenesysClient, webhooks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with WireServer(says(http(204))) as server:
        found = registered(ledger, client, server.url)
    assert found.takes_forged
    assert len(webhooks()) == 1
    assert "takes events that nobody has signed" in caplog.text


def test_without_the_check_nothing_is_sent_to_the_address(
    ledger: Ledger, client: GenesysClient, webhooks: Any
) -> None:
    with WireServer(says(http(404))) as server:
        found = registered(ledger, client, server.url + "/hook?token=hush-hush", verify=False)
        assert server.requests == []
    assert not found.checked
    assert len(webhooks()) == 1
    (entry,) = audit.read(ledger)
    assert entry["details"]["url"] == server.url + "/hook"
    assert entry["details"]["checked"] is False


def test_another_secret_and_another_path_are_told_apart(tmp_path: Path) -> None:
    with ReceiverProcess(f"sqlite:///{tmp_path}/ledger.db") as receiver:
        sentence = failure(receiver.url, secret="another-secret")
        assert "the receiver has another one" in sentence
        assert "another-secret" not in sentence
        assert "this connection has none" in failure(receiver.url, secret=None)
        wrong_path = receiver.url.replace("genesys-messaging", "genesys")
        assert "The path is /webhooks/genesys-messaging" in failure(wrong_path)


@pytest.mark.parametrize("secret", [SECRET, None])
def test_a_receiver_that_allows_unsigned_events_is_told_from_one_that_does_not(
    tmp_path: Path, secret: str | None
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    allows = {"GENESYS_WEBHOOK_ALLOW_UNSIGNED": "yes-i-know"}
    with ReceiverProcess(url, secret="", settings=allows) as receiver:
        assert check(ReceiverAddress(url=receiver.url), secret, timeout_s=60)
    with ReceiverProcess(url) as receiver:
        assert not check(ReceiverAddress(url=receiver.url), SECRET, timeout_s=60)


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (says(http(302, Location="http://127.0.0.1:1/")), "it redirects"),
        (says(http(405)), "The path is /webhooks"),
        (says(http(403)), "proxy and firewall"),
        (says(http(503)), "the receiver's log"),
        (says(http(418)), "HTTP 418: that is not what"),
        (closes, "connection broke before an answer"),
        (says(b"nonsense\r\n\r\n"), "connection broke before an answer"),
        (says(http(400, b"{}")), "an older receiver"),
    ],
    ids=[
        *("redirect", "no post", "kept out", "failing", "odd", "hangs up", "no http"),
        "older receiver",
    ],
)  # fmt: skip
def test_what_is_no_receiver_is_told_in_a_sentence(behave: Behaviour, words: str) -> None:
    with WireServer(behave) as server:
        assert words in failure(server.url + "/hook?token=hush-hush")
        assert len(server.requests) <= 3
        assert server.logins == []


def test_the_trial_is_one_signed_request_and_one_forged() -> None:
    with WireServer(says(TRIED, REFUSED)) as server:
        assert not check(ReceiverAddress(url=server.url + "/hook"), SECRET, timeout_s=60)
    signed, forged = server.requests
    assert signed.body == forged.body
    assert json.loads(signed.body)["type"] == "webhook.test"
    assert signed.headers[HEADER.lower()] == sign(signed.body, SECRET)
    assert forged.headers[HEADER.lower()] != signed.headers[HEADER.lower()]


def test_the_machines_own_passwords_stay_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password hush-hush\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with WireServer(says(TRIED, REFUSED)) as server:
        check(ReceiverAddress(url=server.url), SECRET, timeout_s=60)
    assert all("authorization" not in request.headers for request in server.requests)


def test_an_address_that_is_dead_or_slow_or_unknown_is_told_in_a_sentence() -> None:
    with closed_port() as port:
        assert "refuses the connection" in failure(f"http://127.0.0.1:{port}/")
    assert "does not resolve" in failure("https://receiver.invalid/")

    waits = threading.Event()

    def hangs(connection: socket.socket, seen: Seen) -> None:
        waits.wait(PATIENCE_S)

    with WireServer(hangs) as server:
        assert "nothing came within 0.2 s" in failure(server.url, timeout_s=0.2)
        waits.set()


def test_a_body_that_drips_ends_at_the_timeout() -> None:
    ended = threading.Event()

    def drips(connection: socket.socket, seen: Seen) -> None:
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n")
        while not ended.wait(0.02):
            connection.sendall(b" ")

    with WireServer(drips) as server:
        assert "nothing receives events there" in failure(server.url, timeout_s=1)
        ended.set()


def test_a_certificate_that_nobody_vouches_for_is_told_in_a_sentence(tmp_path: Path) -> None:
    with WireServer(says(TRIED), tls=self_signed(tmp_path)) as server:
        assert "the TLS handshake failed" in failure(server.url)


def self_signed(folder: Path) -> ssl.SSLContext:
    from datetime import timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "receiver.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://hooks.example.org/", "no http"),
        ("file:///etc/passwd", "no http"),
        ("hooks.example.org", "no http"),
        ("http://", "no http"),
        ("http://hooks.example.org:0/", "no http"),
        ("http://hooks.example.org:port/", "no http"),
        ("http://[::1/", "no http"),
        ("https://ann:hush-hush@hooks.example.org/", "user name or password"),
        ("https://hooks.example.org/#part", "fragment"),
        ("https://hooks.example.org/\nHost: other", "characters of a URL"),
        ("https://hooks.example.org/" + "x" * 2000, "characters of a URL"),
    ],
)
def test_what_is_no_address_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConnectionSettingsError, match="GENESYS_WEBHOOK_URL") as caught:
        ReceiverAddress(url=url)
    assert words in str(caught.value)
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "in_clear"),
    [
        ("https://hooks.example.org/", False),
        ("http://hooks.example.org/", True),
        ("http://10.0.0.1/", True),
        ("http://127.0.0.1:3000/", False),
        ("http://[::1]:3000/", False),
        ("http://localhost/", False),
    ],
)
def test_plain_http_is_warned_of_unless_it_stays_on_this_machine(
    ledger: Ledger,
    client: GenesysClient,
    caplog: pytest.LogCaptureFixture,
    url: str,
    in_clear: bool,
) -> None:
    registered(ledger, client, url, verify=False)
    assert ("travel in clear" in caplog.text) == in_clear


def test_many_that_register_at_once_leave_one_registration_in_force(
    simulator: SimulatorProcess, account: Account, tmp_path: Path, webhooks: Any
) -> None:
    url, together = "https://hooks.example.org/hook", threading.Barrier(8)

    def registers(number: int) -> str:
        with GenesysClient(account, state_dir=tmp_path) as client:
            client.authenticate()
            together.wait(PATIENCE_S)
            return client.register_webhook(url, secret=SECRET).id

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(registers, range(8)))
    listed = webhooks()
    (kept,) = [webhook for webhook in listed if webhook["enabled"]]
    assert kept["id"] in ids
    with GenesysClient(account, state_dir=tmp_path) as client:
        again = client.register_webhook(url)
    assert (again.id, again.created, again.disabled) == (kept["id"], False, ())
