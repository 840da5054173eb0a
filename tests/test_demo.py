"""What `make demo` stands on: processes that end with their run, ports, and what it prints."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.airflow import environment
from demo.processes import Processes, free_port
from demo.show import Board, summary
from genesys_cloud.ledger.campaigns import Progress
from genesys_cloud.outbound.messages import State
from genesys_cloud.workflows.proof import Certificate
from tests.simulator.server import wait_for

ROOT = Path(__file__).resolve().parents[1]
FAMILY = "sleep 301 & sleep 302 & echo both sleep; wait"
"""A process with two children."""


def alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for is dead all the same."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def group(pid: int) -> list[int]:
    """Return the processes that are alive in a process group."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == pid and alive(int(entry.name)):
                    members.append(int(entry.name))
            except ProcessLookupError:
                continue
    return members


def started(processes: Processes, name: str, command: str) -> int:
    """Start a shell command, wait until its family is complete, and return its process id."""
    processes.start(name, ["bash", "-c", command], {})
    wait_for(lambda: processes.log_of(name).read_text(), bool)
    return int((processes.log_of(name).parent / "processes.txt").read_text().split()[-2])


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Return processes of the test's own, which are stopped whatever happens."""
    with Processes(tmp_path / "logs") as opened:
        yield opened


def test_what_a_process_prints_is_in_its_log(processes: Processes, tmp_path: Path) -> None:
    processes.start(
        "speaker", ["bash", "-c", "echo $GREETING; echo trouble >&2"], {"GREETING": "hi"}
    )
    log = processes.log_of("speaker")
    assert log == tmp_path / "logs" / "speaker.log"
    assert wait_for(log.read_text, lambda text: text.count("\n") == 2) == "hi\ntrouble\n"


def test_what_a_shell_has_set_for_another_airflow_does_not_count(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production/airflow")
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "a-real-one")
    processes.start(
        "speaker",
        ["bash", "-c", "env; echo that is all"],
        {"GENESYS_BASE_URL": "http://127.0.0.1:1"},
    )
    seen = wait_for(processes.log_of("speaker").read_text, lambda text: "that is all" in text)
    assert "GENESYS_BASE_URL=http://127.0.0.1:1" in seen
    assert "production" not in seen
    assert "a-real-one" not in seen


def test_a_process_that_ends_by_itself_is_an_error_with_its_last_words(
    processes: Processes,
) -> None:
    started(processes, "sleeper", "echo up; sleep 300")
    processes.check()
    processes.start("victim", ["bash", "-c", "echo the port is taken; exit 3"], {})

    def checked() -> str:
        try:
            processes.check()
        except RuntimeError as error:
            return str(error)
        return ""

    sentence = wait_for(checked, bool)
    assert "victim ended with exit code 3" in sentence
    assert sentence.endswith("the port is taken\n")


def test_stopping_stops_children_too(processes: Processes) -> None:
    pid = started(processes, "family", FAMILY)
    assert len(wait_for(lambda: group(pid), lambda found: len(found) == 3)) == 3
    processes.stop()
    wait_for(lambda: group(pid), lambda found: not found)
    processes.check()  # nothing runs, so nothing is missed


def test_a_child_that_outlives_its_parent_is_stopped(processes: Processes) -> None:
    pid = started(processes, "family", "sleep 301 & echo parent leaves")
    wait_for(lambda: alive(pid), lambda lives: not lives)
    assert len(group(pid)) == 1
    processes.stop()
    wait_for(lambda: group(pid), lambda found: not found)


def test_what_a_killed_run_left_behind_is_stopped_by_the_next(tmp_path: Path) -> None:
    script = f"""
import time
from pathlib import Path
from demo.processes import Processes
with Processes(Path({str(tmp_path / "logs")!r})) as processes:
    processes.start("family", ["bash", "-c", {FAMILY!r}], {{}})
    print("started", flush=True)
    time.sleep(300)
"""
    run = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "started\n"
    pid = int((tmp_path / "logs" / "processes.txt").read_text().split()[0])
    wait_for(lambda: group(pid), lambda found: len(found) == 3)
    run.kill()
    run.wait()
    run.stdout.close()
    assert len(group(pid)) == 3

    with Processes(tmp_path / "logs"):
        wait_for(lambda: group(pid), lambda found: not found)
    assert not (tmp_path / "logs" / "processes.txt").exists()


def test_a_process_that_only_has_the_number_of_a_leftover_is_let_live(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "processes.txt").write_text(f"{bystander.pid} 12345\n")
        with Processes(tmp_path / "logs"):
            time.sleep(0.1)
            assert alive(bystander.pid)
    finally:
        bystander.kill()
        bystander.wait()


def test_a_process_that_does_not_listen_to_reason_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.processes.STOP_TIMEOUT_S", 0.3)
    with Processes(tmp_path / "logs") as processes:
        pid = started(
            processes, "stubborn", "trap '' TERM; echo trapped; while :; do sleep 1; done"
        )
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.1)
        assert alive(pid)
    assert not alive(pid)


def test_the_preferred_port_is_taken_where_it_is_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    assert free_port(port) == port


def test_another_port_is_found_where_it_is_not() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = int(listener.getsockname()[1])
        other = free_port(port)
    assert other != port
    assert 0 < other < 65_536


def test_airflow_without_a_login_is_reached_from_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__HOST", "192.0.2.1")
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", "somebody-else's")
    env = environment(tmp_path / "home", 8080)
    assert env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "True"
    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert "AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT" not in env
    # PyJWT wants 64 bytes; all processes share one secret, at the next start too.
    assert len(env["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64
    again = environment(tmp_path / "home", 8080)
    assert again["AIRFLOW__API_AUTH__JWT_SECRET"] == env["AIRFLOW__API_AUTH__JWT_SECRET"]
    assert (tmp_path / "home" / "secrets.json").stat().st_mode & 0o077 == 0


STATES = ("planned", "blocked", "held", "accepted", "rejected", "unknown", "cancelled", "expired")


def reached(**counts: int) -> Progress:
    """Return a campaign's progress with these states, the rest 0."""
    return Progress(
        campaign_id="spring",
        campaign_state="active",
        reason=None,
        recipients=sum(counts.values()),
        states=dict.fromkeys(STATES, 0) | counts,
        blocked_reasons={"consent_not_verified": counts.get("blocked", 0)},
        statuses={"queued": 0, "sent": 0, "delivered": 1_200, "read": 800, "failed": 34},
        attempting=0,
        tests={},
    )


def test_progress_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    board = Board()
    board.step("sending")
    board.progress(reached(accepted=4_000, blocked=180, planned=820))
    board.progress(reached(accepted=4_001, blocked=180, planned=819))
    board.say("done")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("s] sending")
    # Where the output is no terminal, the second line within five seconds is left out.
    assert len(lines) == 3
    assert lines[1].endswith(
        "accepted 4,000 of 4,820; queued 0, sent 0, delivered 1,200, read 800, failed 34"
    )
    assert lines[2] == "done"


METRICS = {
    "delivered": 4_610,
    "failed": 145,
    "pending": 65,
    "successRate": "96.95%",
    "deliveryLatency": {"p50": 2_310.4, "p95": 7_902.0, "max": 31_007.0},
}
LINKS = {"report": "/somewhere/report.html", "Airflow UI": "http://127.0.0.1:8080"}


def ending(metrics: dict[str, object]) -> str:
    """Return what the demo prints at its end."""
    certificate = Certificate(
        campaign_id="spring",
        at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
        recipients=5_000,
        states={State.ACCEPTED: 4_820, State.BLOCKED: 177, State.UNKNOWN: 3},
        settled_by_person=0,
        listed=4_820,
        tests=0,
        differences=[],
    )
    counts = reached(accepted=4_820, blocked=177, unknown=3)
    return summary(counts, metrics, certificate, LINKS)


def test_the_summary_tells_a_newcomer_who_got_what_and_where_to_look() -> None:
    lines = ending(METRICS).splitlines()
    for words in (
        "Campaign spring: where its 5,000 recipients are",
        "blocked before sending             177",
        "consent_not_verified             177",
        "accepted by Genesys              4,820",
        "delivered                      4,610",
        "failed                           145",
        "still on the way                  65",
        "unknown                              3",
        "Success rate 96.95%",
        "half within 2,310 ms, 95 % within 7,902 ms, the slowest 31,007 ms",
        "PROVED",
        "report:               /somewhere/report.html",
        "Airflow UI:           http://127.0.0.1:8080",
    ):
        assert any(words in line for line in lines), words
    assert not any(line.strip().startswith(("held", "expired")) for line in lines)


def test_the_summary_can_do_without_a_single_delivery() -> None:
    nothing = {"p50": None, "p95": None, "max": None}
    text = ending(METRICS | {"delivered": 0, "deliveryLatency": nothing})
    assert "Nothing was delivered yet" in text
    assert "None" not in text
