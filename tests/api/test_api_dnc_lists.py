"""DNC lists: read whole and anew, changed in blocks, and downloaded from nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genesys_cloud.api import dnc_lists, downloads
from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.dnc_lists import DncEntry, DncLists
from genesys_cloud.errors import (
    NotSentError,
    PermissionDeniedError,
    RequestRejectedError,
    ServiceFailedError,
)
from tests.api.conftest import MakeClient
from tests.api.wire import Behaviour, WireServer, http, says, then_closes
from tests.simulator.platform_caller import DNC, Platform
from tests.simulator.server import SimulatorProcess

ENDS = datetime(2027, 1, 31, 12, 30, tzinfo=UTC)
A, B, C = (f"+1202555012{digit}" for digit in "345")


@pytest.fixture
def lists(agentless: GenesysClient) -> DncLists:
    return DncLists(agentless.session)


def a_list(platform: SimulatorProcess, *numbers: str, name: str = "do not contact") -> str:
    caller = Platform(platform)
    made = caller.admin("dnclists", {"name": name, "phoneNumbers": list(numbers)})
    caller.close()
    return str(made["id"])


def test_every_list_is_listed(lists: DncLists, platform: SimulatorProcess) -> None:
    ids = {a_list(platform, *[A, B][: n % 3], name=f"list {n}") for n in range(120)}
    found = lists.lists()
    assert {one.id for one in found} == ids
    assert {(one.source, one.contact_method) for one in found} == {("rds", "Phone")}
    assert {one.size for one in found} == {0, 1, 2}


def test_what_is_pushed_is_pulled_with_its_ends(
    lists: DncLists, platform: SimulatorProcess
) -> None:
    list_id = a_list(platform, A)
    assert lists.push(list_id, [DncEntry(B, ENDS), DncEntry(C, None)]) == 2
    assert set(lists.pull(list_id)) == {(A, None), (B, ENDS), (C, None)}
    assert lists.push(list_id, [DncEntry(A, None), DncEntry(B, None)], action="Remove") == 2
    # The export is a new one, and not that of before.
    assert list(lists.pull(list_id)) == [(C, None)]
    assert list(lists.pull(a_list(platform))) == []


def test_numbers_go_in_blocks_by_their_ends(make_client: MakeClient) -> None:
    later = ENDS + timedelta(days=1)
    entries = [DncEntry(f"+1{n}", ENDS if n < 1_500 else later) for n in range(2_600)]
    with WireServer(says(http(204))) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        assert DncLists(client.session).push("list/7", entries) == 2_600
    bodies = [json.loads(request.body) for request in server.requests]
    assert [len(body["phoneNumbers"]) for body in bodies] == [1_000, 500, 1_000, 100]
    assert {body["expirationDateTime"] for body in bodies} == {
        "2027-01-31T12:30Z", "2027-02-01T12:30Z",
    }  # fmt: skip
    assert {request.target for request in server.requests} == {f"{DNC}/list%2F7/phonenumbers"}


def test_a_refused_change_is_an_error_that_names_no_number(make_client: MakeClient) -> None:
    body = json.dumps({"code": "bad.request", "message": f"{A} is no number"}).encode()
    with WireServer(says(http(400, body))) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        with pytest.raises(RequestRejectedError, match="DNC list l-1") as caught:
            DncLists(client.session).push("l-1", [DncEntry(A, None)])
    assert A not in str(caught.value)


def test_a_missing_permission_is_named(make_client: MakeClient) -> None:
    body = json.dumps({"code": "missing.permissions", "message": "no"}).encode()
    with WireServer(says(http(403, body))) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        with pytest.raises(PermissionDeniedError, match="outbound:dnc:edit"):
            DncLists(client.session).push("l-1", [DncEntry(A, None)])


def exported(uri: str, stamp: str = "2026-11-23T12:00:00.000Z") -> bytes:
    return http(200, json.dumps({"uri": uri, "exportTimestamp": stamp}).encode())


BEGUN = http(200, b'{"id": "l-1"}')
NEVER = http(404, b'{"code": "not.found", "message": "none", "status": 404}')


def pulled(make_client: MakeClient, answers: Callable[[str], list[bytes]], **options: Any) -> Any:
    """Return what is read where the API gives these answers, and the server that gave them."""
    waiting: list[bytes] = []
    with WireServer(lambda connection, seen: connection.sendall(waiting.pop(0))) as server:
        waiting += answers(server.url)
        client = make_client(server.url, account={"profile": "agentless"}, **options)
        return list(DncLists(client.session).pull("l-1")), server


def test_an_export_is_waited_for_and_an_old_one_is_not_taken(
    make_client: MakeClient, sleeps: list[float]
) -> None:
    found, server = pulled(
        make_client,
        lambda url: [
            exported(f"{url}/old", "yesterday"), BEGUN, exported(f"{url}/old", "yesterday"),
            exported(f"{url}/new", "today"), http(200, f"Phone\r\n{A}\r\n\r\n{B}".encode()),
        ],
    )  # fmt: skip
    assert found == [(A, None), (B, None)]
    assert server.requests[-1].target == "/new"
    assert sleeps == [dnc_lists.POLL_S]


def test_an_export_that_never_comes_is_an_error(
    make_client: MakeClient, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dnc_lists, "MOST_POLLS", 3)
    with pytest.raises(ServiceFailedError, match="not ready after 6 s"):
        pulled(make_client, lambda url: [NEVER, BEGUN, NEVER, NEVER, NEVER])
    assert len(sleeps) == 3


@pytest.mark.parametrize(
    ("file", "entries"),
    [
        (b"", []),
        (b"\xef\xbb\xbfphone,expirationDateTime\n+1,2027-01-31T12:30Z\n", [("+1", ENDS)]),
        (b"Phone Number,Expiration Date\n+1,never\n +2 ,\n,\n", [("+1", None), ("+2", None)]),
        (b'id,PhoneNumber\n7,"+1"\n8\n', [("+1", None)]),
    ],
)
def test_a_file_is_read_by_what_its_columns_are_called(
    make_client: MakeClient, file: bytes, entries: list[tuple[str, datetime | None]]
) -> None:
    found, _ = pulled(
        make_client, lambda url: [NEVER, BEGUN, exported(f"{url}/f"), http(200, file)]
    )
    assert found == entries


@pytest.mark.parametrize(
    ("answer", "error", "says_what"),
    [
        (http(200, b"email\nann@example.org\n"), ServiceFailedError, "no column"),
        (http(200, b"phone\n\xff\xfe\n"), ServiceFailedError, "no text in UTF-8"),
        (http(200, b"x" * 200_000), ServiceFailedError, "no text of lines"),
        (http(200, b"phone\na\rb\n"), ServiceFailedError, "no CSV"),
        (http(403), ServiceFailedError, "refused with HTTP 403"),
        (http(302, Location="http://127.0.0.1:1/x"), ServiceFailedError, "neither https nor"),
        (http(200, b"phone\n+1", Content_Length="100"), NotSentError, "broke off"),
    ],
)
def test_what_is_no_list_of_numbers_is_told_in_a_sentence(
    make_client: MakeClient, answer: bytes, error: type[Exception], says_what: str
) -> None:
    last: Behaviour = then_closes(answer)
    waiting: list[bytes] = []

    def behave(connection: Any, seen: Any) -> None:
        if waiting:
            connection.sendall(waiting.pop(0))
        else:
            last(connection, seen)

    with WireServer(behave) as server:
        waiting += [NEVER, BEGUN, exported(f"{server.url}/file")]
        client = make_client(server.url, account={"profile": "agentless"})
        with pytest.raises(error, match=says_what):
            list(DncLists(client.session).pull("l-1"))


@pytest.mark.parametrize(
    "uri",
    [
        "http://files.example.org/x",
        "file:///etc/passwd",
        "ftp://files.example.org/x",
        "//x.example/x",
    ],
)
def test_a_file_is_read_from_https_or_the_apis_own_host_alone(
    agentless: GenesysClient, uri: str
) -> None:
    with pytest.raises(ServiceFailedError, match="neither https nor the API's"):
        list(downloads.lines(agentless.session, uri, "the list"))


def test_redirects_are_followed_and_not_for_ever(make_client: MakeClient) -> None:
    found, server = pulled(
        make_client,
        lambda url: [
            NEVER, BEGUN, exported(f"{url}/a"), http(302, Location="/b"),
            http(307, Location=f"{url}/c"), http(200, b"phone\n+1\n"),
        ],
    )  # fmt: skip
    assert found == [("+1", None)]
    assert all(request.headers["authorization"] for request in server.requests)
    around = http(302, Location="/a")
    with pytest.raises(ServiceFailedError, match="again and again"):
        pulled(make_client, lambda url: [NEVER, BEGUN, exported(f"{url}/a"), *[around] * 4])


def test_another_host_gets_no_token(make_client: MakeClient, tmp_path: Any) -> None:
    from tests.workflows.test_registering import self_signed

    with WireServer(says(http(200, b"phone\n+1\n")), tls=self_signed(tmp_path)) as other:
        with WireServer(says(http(200))) as server:
            client = make_client(server.url, account={"profile": "agentless"})
            # Nobody vouches for its certificate, so that not even a request leaves.
            with pytest.raises(NotSentError, match="SSLError"):
                list(downloads.lines(client.session, f"{other.url}/file", "the list"))
        assert other.requests == []
        assert server.logins == []
