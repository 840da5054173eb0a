"""What becomes of a send when the connection misbehaves."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.exceptions import MaxRetryError, SSLError

from genesys_cloud.api import connections, transport
from genesys_cloud.errors import (
    ConnectionSettingsError,
    NotSentError,
    OutcomeUnknownError,
    RequestRejectedError,
    ServiceFailedError,
)
from tests.api.samples import TUTORIAL_RECEIPT, TUTORIAL_SEND, a_message
from tests.api.wire import (
    Behaviour,
    HangUpError,
    Seen,
    WireServer,
    closes,
    http,
    resets,
    says,
    then_closes,
)
from tests.closed_port import closed_port
from tests.simulator.server import wait_for

RECEIPT = json.dumps(TUTORIAL_RECEIPT).encode()
ACCEPTED = http(201, RECEIPT)


@pytest.fixture
def unused_port() -> Iterator[int]:
    with closed_port() as port:
        yield port


# --- nothing left


def not_sent(client: Any) -> str:
    with pytest.raises(NotSentError) as caught:
        client.send(a_message())
    assert "Nothing was sent" in str(caught.value)
    assert "genesys_test" in str(caught.value)
    return str(caught.value)


def test_a_refused_connection_has_sent_nothing(make_client: Any, unused_port: int) -> None:
    said = not_sent(make_client(f"http://127.0.0.1:{unused_port}"))
    assert f"127.0.0.1:{unused_port}" in said
    assert "refused the connection" in said


def test_a_name_that_does_not_resolve_has_sent_nothing(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_host(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    said = not_sent(make_client("http://genesys.invalid"))
    assert "genesys.invalid" in said
    assert "does not resolve" in said


def test_a_host_that_does_not_answer_the_connect_has_sent_nothing(make_client: Any) -> None:
    # A full backlog: the kernel drops what comes after.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        client = make_client(f"http://127.0.0.1:{address[1]}", account={"timeout_s": 0.3})
        assert "in time" in not_sent(client)
        for each in waiting:
            each.close()


@pytest.mark.parametrize(
    ("greets", "said"), [(then_closes(http(400)), "TLS"), (resets, "Reset"), (closes, "TLS")]
)
def test_a_tls_handshake_that_fails_has_sent_nothing(
    make_client: Any, greets: Behaviour, said: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection, suppress(HangUpError):
                connection.recv(10_000)
                greets(connection, Seen("", "", {}, b"", 0))

        done = thread.submit(greet)
        assert said in not_sent(make_client(f"https://127.0.0.1:{listener.getsockname()[1]}"))
        done.result()


def test_a_handshake_that_hangs_has_sent_nothing(make_client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert "in time" in not_sent(make_client(url, account={"timeout_s": 0.3}))


def test_a_proxy_that_is_not_there_has_sent_nothing(
    make_client: Any, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{unused_port}")
        monkeypatch.setenv("no_proxy", "")
        not_sent(make_client(f"{scheme}://genesys.invalid"))


def test_a_proxy_that_refuses_the_tunnel_has_sent_nothing(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WireServer(says(http(407))) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        not_sent(make_client("https://genesys.invalid"))
    assert [seen.method for seen in proxy.requests] == ["CONNECT"]


def test_a_proxy_of_the_environment_is_used(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WireServer(says(ACCEPTED)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        make_client("http://genesys.invalid").send(a_message())
    assert proxy.requests[0].target == "http://genesys.invalid/api/v2/messaging/messages"


def test_missing_certificates_are_a_matter_of_settings(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(ConnectionSettingsError, match="REQUESTS_CA_BUNDLE"):
        make_client("https://127.0.0.1:9").send(a_message())


def test_an_error_in_mid_answer_is_not_taken_for_a_failed_handshake() -> None:
    in_mid_answer = SSLError(ssl.SSLError("decryption failed"))
    pool = connections.SecurePool("127.0.0.1")
    assert connections.connect_failure(MaxRetryError(pool, "/", in_mid_answer)) is None


# --- nobody knows


def drips(connection: socket.socket, seen: Seen) -> None:
    connection.sendall(b"HTTP/1.1 201 X\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1_000):
        connection.sendall(b" ")
        time.sleep(0.05)


UNKNOWN: dict[str, Behaviour] = {
    "closed": closes,
    "reset": resets,
    "no http": then_closes(b"SSH-2.0-OpenSSH\r\n"),
    "half a status line": then_closes(b"HTTP/1.1 20"),
    "half of the headers": then_closes(b"HTTP/1.1 201 X\r\nContent-"),
    "half of the body": then_closes(b"HTTP/1.1 201 X\r\nContent-Length: 99\r\n\r\n" + RECEIPT[:20]),
    "a broken chunk": then_closes(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "half of the chunks": then_closes(
        b'HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"i\r\n'
    ),
    "no gzip": says(http(201, RECEIPT, Content_Encoding="gzip")),
    "half of the gzip": says(http(201, gzip.compress(RECEIPT)[:-20], Content_Encoding="gzip")),
    "too many headers": says(http(201, RECEIPT, **{f"X-{n}": "1" for n in range(200)})),
    "a header without end": says(http(201, RECEIPT, X="y" * 100_000)),
    "no id": says(http(201, b'{"status":"queued"}')),
    "a number for an id": says(http(201, b'{"id":17}')),
    "a list": says(http(200, b'["m1"]')),
    "nothing": says(http(204)),
    "deep nesting": says(http(201, b'{"id":' * 100_000)),
    "not found in transit": then_closes(b"HTTP/1.1 502 X\r\nContent-Length: 99\r\n\r\nx"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_connection_that_breaks_after_the_request_is_unknown(make_client: Any, name: str) -> None:
    with WireServer(UNKNOWN[name]) as server, pytest.raises(OutcomeUnknownError) as caught:
        make_client(server.url).send(a_message())
    assert "message key-0 of campaign camp_789" in str(caught.value)
    assert len(server.requests) == 1


def test_an_answer_that_is_too_large_is_unknown(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    large = http(201, gzip.compress(b" " * 1_000_000 + RECEIPT), Content_Encoding="gzip")
    with WireServer(says(large)) as server, pytest.raises(OutcomeUnknownError):
        make_client(server.url).send(a_message())


def test_an_answer_that_drips_in_is_unknown_in_the_end(make_client: Any) -> None:
    # Each byte comes well within the read timeout; all of them would take most of a minute.
    with WireServer(drips) as server:
        make_client(server.url).authenticate()  # with all the time that a slow machine takes
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError):
            make_client(server.url, account={"timeout_s": 1}).send(a_message())
    assert time.monotonic() - began < 25


def test_a_refusal_counts_although_its_reason_was_cut_off(make_client: Any) -> None:
    cut = then_closes(b"HTTP/1.1 400 X\r\nContent-Length: 99\r\n\r\n{")
    with WireServer(cut) as server, pytest.raises(RequestRejectedError, match="no reason given"):
        make_client(server.url).send(a_message())


def test_a_read_that_is_too_large_is_an_error(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    with (
        WireServer(says(http(200, b" " * 2000))) as server,
        pytest.raises(ServiceFailedError, match="too large"),
    ):
        make_client(server.url).delivery("m1")
    assert len(server.requests) == 1


# --- over TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody else has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(signed.public_bytes(pem) + key.private_bytes(pem, form, plain))
    return file


def over_tls(behave: Behaviour, certificate: Path) -> WireServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return WireServer(behave, tls=context)


def test_a_send_over_tls(
    make_client: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with over_tls(says(ACCEPTED), certificate) as server:
        client = make_client(server.url)
        for _ in range(3):
            assert client.send(a_message()).message_id == "msg_abc123xyz"
    assert server.connections == 1


def test_a_certificate_that_nobody_vouches_for_has_sent_nothing(
    make_client: Any, certificate: Path
) -> None:
    with over_tls(says(ACCEPTED), certificate) as server:
        assert "Check the certificates" in not_sent(make_client(server.url))
    assert server.logins == []


@pytest.mark.parametrize("breaks", [closes, resets])
def test_a_tls_connection_that_breaks_after_the_request_is_unknown(
    make_client: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch, breaks: Behaviour
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with over_tls(breaks, certificate) as server, pytest.raises(OutcomeUnknownError):
        make_client(server.url).send(a_message())
    assert len(server.requests) == 1


# --- what goes over the wire


def test_the_request_is_the_tutorials(make_client: Any) -> None:
    with WireServer(says(ACCEPTED)) as server:
        make_client(server.url).send(a_message(recipient="whatsapp:+15559998765"))
    (seen,) = server.requests
    assert (seen.method, seen.target) == ("POST", "/api/v2/messaging/messages")
    assert seen.headers["authorization"] == "Bearer wire-token"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["user-agent"].startswith("genesys-cloud-campaigns")
    body = json.loads(seen.body)
    body["metadata"].pop("messageKey")
    assert body == TUTORIAL_SEND


@pytest.mark.parametrize(
    "answer",
    [
        http(201, gzip.compress(RECEIPT), Content_Encoding="gzip"),
        b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(RECEIPT), RECEIPT),
        http(202, RECEIPT),
    ],
)
def test_a_receipt_may_be_packed(make_client: Any, answer: bytes) -> None:
    with WireServer(says(answer)) as server:
        client = make_client(server.url)
        for _ in range(3):
            assert client.send(a_message()).message_id == "msg_abc123xyz"
    assert server.connections == 1


def test_a_connection_is_used_again(make_client: Any) -> None:
    with WireServer(says(ACCEPTED)) as server:
        client = make_client(server.url)
        for _ in range(5):
            client.send(a_message())
    assert server.connections == 1


def test_a_proxy_of_the_environment_gets_the_whole_url_and_its_own_credentials(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WireServer(says(ACCEPTED)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://me:secret@"))
        make_client("http://genesys.invalid/base").send(a_message())
    (sent,) = proxy.requests
    assert sent.target == "http://genesys.invalid/base/api/v2/messaging/messages"
    assert sent.headers["proxy-authorization"].startswith("Basic ")
    assert sent.headers["authorization"] == "Bearer wire-token"


def test_a_connection_that_was_idle_is_not_used_again(
    make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LONGEST_IDLE_S", -1.0)
    with WireServer(says(ACCEPTED)) as server:
        client = make_client(server.url)
        for _ in range(3):
            client.send(a_message())
    assert server.connections == 4  # a login and three sends


def test_a_connection_that_the_server_closed_meanwhile_costs_no_message(make_client: Any) -> None:
    with WireServer(then_closes(ACCEPTED)) as server:
        client = make_client(server.url)
        for number in range(20):
            client.send(a_message(number))
            wait_for(lambda: server.closed, (number + 1).__eq__)
    assert len(server.requests) == 20
