"""The process: it says where it listens, stops when told, and needs nothing of ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import requests

from genesys_cloud.simulator.__main__ import main, parse
from genesys_cloud.simulator.options import SimulatorOptions
from tests.simulator.caller import Caller, a_message
from tests.simulator.server import PATIENCE_S, PLUGINS, SimulatorProcess, wait_for


def test_port_0_takes_a_free_port_on_loopback_and_says_which(simulator: SimulatorProcess) -> None:
    with SimulatorProcess() as another:
        assert another.url != simulator.url
        assert another.url.startswith("http://127.0.0.1:")
        assert requests.get(f"{another.url}/_sim/health", timeout=60).ok


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_while_it_works(number: signal.Signals) -> None:
    simulator = SimulatorProcess()
    simulator.start()
    caller = Caller(simulator)
    caller.send(a_message())
    os.kill(simulator.pid, number)
    assert simulator._running().wait(PATIENCE_S) == 0
    caller.close()
    simulator.stop()


def test_a_request_that_hangs_does_not_hold_up_the_end() -> None:
    simulator = SimulatorProcess()
    simulator.start()
    simulator.faults([{"on": "token", "fault": "hang", "delay_s": 600}])
    waiting = threading.Thread(target=pytest.raises, args=(Exception, simulator.token))
    waiting.start()
    wait_for(lambda: simulator.faults()[0]["struck"], (1).__eq__)
    assert simulator.stop() == 0
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


def test_a_killed_simulator_starts_again_and_remembers_nothing() -> None:
    with SimulatorProcess() as simulator:
        caller = Caller(simulator)
        caller.send(a_message())
        caller.close()
        simulator.kill()
        simulator.start()
        assert simulator.messages() == []


def test_a_port_that_is_taken_is_said_so(
    simulator: SimulatorProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", simulator.url.rpartition(":")[2]]) == 1
    assert "simulator can not listen" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--failure-share", "2", "failure_share must be between 0 and 1"),
        ("--speed", "0", "speed must be more than 0"),
        ("--port", "http", "invalid int value"),
        ("--profiles", "neither", "profiles must be one of both, messaging, agentless"),
        ("--slow-share", "2", "slow_share must be between 0 and 1"),
        ("--active-status", "500", "active_status must be 400 or 409"),
        ("--shifting-pages", "perhaps", "invalid"),
    ],
)
def test_an_option_that_makes_no_sense_is_said_so(
    capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option, value])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_command_line_has_the_defaults_of_the_options() -> None:
    assert parse([]) == SimulatorOptions()
    assert parse(["--port", "0", "--read-share", "1"]) == SimulatorOptions(port=0, read_share=1.0)
    assert parse(["--shifting-pages", "True", "--deprecated-fields", "false"]).shifting_pages


def test_latency_is_added_after_the_message_was_accepted() -> None:
    with SimulatorProcess(latency_ms=1000) as simulator:
        caller = Caller(simulator)
        with pytest.raises(requests.exceptions.ReadTimeout):
            caller.send(a_message(), timeout=0.1)
        wait_for(lambda: len(simulator.messages()), (1).__eq__)
        begun = time.monotonic()
        assert caller.send(a_message()).status_code == 201
        assert time.monotonic() - begun >= 1
        caller.close()


def test_it_imports_nothing_of_the_rest_of_the_package() -> None:
    code = (
        "import sys, genesys_cloud.simulator.__main__\n"
        "print(*[name for name in sys.modules if name.startswith('genesys_cloud')])\n"
        "print('airflow' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    names, airflow = ended.stdout.splitlines()
    outside = {name for name in names.split() if not name.startswith("genesys_cloud.simulator")}
    assert outside == {"genesys_cloud"}
    assert airflow == "False"
