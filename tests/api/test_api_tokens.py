from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.api.auth import SCOPES
from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.token_store import Token, TokenStore
from genesys_cloud.errors import ConnectionSettingsError
from tests.api.samples import TOKENS, a_message
from tests.api.wire import WireServer, http, says
from tests.simulator.server import PATIENCE_S, SimulatorProcess, wait_for

TOKEN = Token(value="t1", obtained_at=1000.0, expires_at=4600.0, scopes=("a", "b"))
FETCH = """
import sys, pathlib
from genesys_cloud.api.client import GenesysClient
from genesys_cloud.settings import Account
account = Account(name="x", client_id=sys.argv[2], client_secret=sys.argv[3], base_url=sys.argv[1])
with GenesysClient(account, state_dir=pathlib.Path(sys.argv[4])) as client:
    client.authenticate()
"""


def tokens_given(simulator: SimulatorProcess) -> int:
    return sum(simulator.requests()["counts"].get(TOKENS, {}).values())


def token_file(state_dir: Path) -> Path:
    (found,) = (state_dir / "tokens").glob("*.json")
    return found


# --- the store


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    store = TokenStore(tmp_path / "state", "https://login.example", "id", "secret")
    with store.locked():
        store.save(TOKEN)
    return store


def test_a_token_comes_back_as_it_was(store: TokenStore) -> None:
    assert store.load() == TOKEN


def test_directory_and_file_are_private_and_no_secret_is_in_a_name(
    store: TokenStore, tmp_path: Path
) -> None:
    directory = tmp_path / "state" / "tokens"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    names = [path.name for path in directory.iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert len(names) == 2  # the token and its lock: no temporary file is left
    assert not any("secret" in name or "t1" in name for name in names)


def test_a_directory_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "tokens").mkdir(mode=0o755)
    with TokenStore(tmp_path, "x").locked():
        assert stat.S_IMODE((tmp_path / "tokens").stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) != 0o777


def test_another_host_client_or_secret_is_another_token(store: TokenStore, tmp_path: Path) -> None:
    for identity in (
        ("https://login.other", "id", "secret"),
        ("https://login.example", "id2", "secret"),
        ("https://login.example", "id", "changed"),
    ):
        assert TokenStore(tmp_path / "state", *identity).load() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\xff",
        b"{",
        b"[]",
        b"{}",
        b"[" * 50_000,
        b'{"value": "", "obtained_at": 1, "expires_at": 2, "scopes": null}',
        b'{"value": 7, "obtained_at": 1, "expires_at": 2, "scopes": null}',
        b'{"value": "t", "obtained_at": "x", "expires_at": 2, "scopes": null}',
        b'{"value": "t", "obtained_at": 1, "expires_at": Infinity, "scopes": null}',
        b'{"value": "t", "obtained_at": 1, "expires_at": 2, "scopes": 5}',
    ],
)
def test_a_file_that_is_no_token_is_no_token(
    store: TokenStore, tmp_path: Path, content: bytes
) -> None:
    token_file(tmp_path / "state").write_bytes(content)
    assert store.load() is None
    with store.locked():
        store.save(TOKEN)
    assert store.load() == TOKEN


def test_a_file_that_others_may_read_or_a_link_is_not_trusted(
    store: TokenStore, tmp_path: Path
) -> None:
    file = token_file(tmp_path / "state")
    file.chmod(0o644)
    assert store.load() is None
    file.chmod(0o600)
    assert store.load() == TOKEN
    elsewhere = tmp_path / "elsewhere"
    os.replace(file, elsewhere)
    file.symlink_to(elsewhere)
    assert store.load() is None


def test_a_place_that_can_not_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    with (
        pytest.raises(ConnectionSettingsError, match="GENESYS_STATE_DIR"),
        TokenStore(tmp_path / "state", "x").locked(),
    ):
        pass


def test_a_link_to_some_other_directory_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tokens").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(ConnectionSettingsError, match="somebody else's"),
        TokenStore(tmp_path, "x").locked(),
    ):
        pass


def test_the_lock_holds_between_threads(store: TokenStore) -> None:
    inside: list[int] = []
    crowded: list[int] = []

    def enter() -> None:
        with store.locked():
            inside.append(1)
            crowded.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(crowded) == {1}


def waiting_for(lock: Path) -> int:
    """Return how many wait for a lock."""
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and f":{lock.stat().st_ino} " in line for line in lines)


def test_those_who_waited_for_one_that_asks_do_not_wait_for_each_other(
    store: TokenStore, tmp_path: Path
) -> None:
    at_once = threading.Barrier(3)

    def ask() -> None:
        with store.alone():
            at_once.wait(PATIENCE_S)

    with ThreadPoolExecutor(3) as threads:
        with store.alone():
            asking = [threads.submit(ask) for _ in range(3)]
            lock = token_file(tmp_path / "state").with_suffix(".asking")
            wait_for(lambda: waiting_for(lock), lambda count: count == 3)
            assert at_once.n_waiting == 0
            with store.locked():  # tokens can be fetched meanwhile
                assert store.load() == TOKEN
        for each in asking:
            each.result()


@pytest.mark.parametrize(
    ("lifetime", "last_usable"), [(3599, 3538), (61, 0), (60, 29), (10, 4), (300, 239)]
)
def test_a_token_is_used_until_a_minute_before_its_end(lifetime: int, last_usable: int) -> None:
    token = Token(value="t", obtained_at=1000.0, expires_at=1000.0 + lifetime)
    assert token.usable_at(1000.0 + last_usable)
    assert not token.usable_at(1000.0 + last_usable + 1)


def test_a_token_does_not_show_itself() -> None:
    assert "t1" not in repr(TOKEN)


# --- fetching


def test_a_hundred_threads_with_clients_of_their_own_fetch_one_token(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    clients = [make_client(simulator.url) for _ in range(100)]
    with ThreadPoolExecutor(100) as threads:
        list(threads.map(GenesysClient.authenticate, clients))
    assert tokens_given(simulator) == 1


def test_processes_share_a_token(simulator: SimulatorProcess, tmp_path: Path) -> None:
    arguments = [simulator.url, simulator.client_id, simulator.client_secret, str(tmp_path)]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = [
        subprocess.Popen([sys.executable, "-c", FETCH, *arguments], env=environment)
        for _ in range(3)
    ]
    assert [process.wait(PATIENCE_S) for process in started] == [0, 0, 0]
    assert tokens_given(simulator) == 1


def test_a_token_is_fetched_again_a_minute_before_its_end(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    now = [1_700_000_000.0]
    client = make_client(simulator.url, clock=lambda: now[0])
    client.authenticate()
    now[0] += 3599 - 61
    client.authenticate()
    assert tokens_given(simulator) == 1
    now[0] += 2
    assert client.authenticate().seconds_left == 3599
    assert tokens_given(simulator) == 2


def test_many_threads_that_meet_a_401_fetch_one_new_token(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    clients = [make_client(simulator.url) for _ in range(4)]
    for client in clients:
        client.authenticate()
    simulator.revoke_tokens()
    with ThreadPoolExecutor(16) as threads:
        sends = [threads.submit(clients[n % 4].send, a_message(n)) for n in range(64)]
        receipts = {send.result().message_id for send in sends}
    assert len(receipts) == 64
    assert len(simulator.messages()) == 64
    assert tokens_given(simulator) == 2


def test_a_corrupt_token_file_is_replaced(
    simulator: SimulatorProcess, make_client: Any, tmp_path: Path
) -> None:
    make_client(simulator.url).authenticate()
    token_file(tmp_path / "state").write_text("{")
    assert make_client(simulator.url).authenticate().scopes == SCOPES
    assert tokens_given(simulator) == 2


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3599, 3599),
        ("3599", 3599),
        (86399.5, 86400),
        (None, 300),
        (-5, 300),
        (0, 300),
        ("soon", 300),
        (True, 300),
        ([], 300),
        pytest.param(10**400, 300, id="beyond floats"),
        (10**9, 172_800),
    ],
)
def test_an_odd_lifetime_is_taken_as_short(
    make_client: Any, expires_in: object, seconds: int
) -> None:
    body = json.dumps({"access_token": "t", "expires_in": expires_in}).encode()
    with WireServer(says(http(500)), login=says(http(200, body))) as server:
        info = make_client(server.url, clock=lambda: 1000.0).authenticate()
    assert info.seconds_left == seconds
    assert info.scopes is None
