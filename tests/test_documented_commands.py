"""Every command that the documents show is run, or named below with who runs it instead."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.main import get_command

from demo.airflow import environment
from genesys_cloud import cli
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.messages import State
from genesys_cloud.settings import Account
from genesys_cloud.workflows.doctor import checks_airflow
from tests.airflow_warnings import AIRFLOWS_OWN
from tests.command_line import run
from tests.documented import PAGES, ROOT, Command, mentioned, python_shown, shown
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.reporting.month import FIRST, put_day
from tests.reporting.samples import facts_of, realistic_day
from tests.simulator.platform_caller import Platform
from tests.simulator.server import SimulatorProcess
from tests.webhook.receiver import SECRET, ReceiverProcess
from tests.workflows.sender import Sender

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

RUN_ELSEWHERE = {
    "docker compose": "tests/test_compose.py reads the file; an engine is not at hand everywhere",
    "grep": "it reads the file that the command before it made",
    "source": "this is that environment",
    "export": "the tests' environment has its own values",
    "genesys-cloud receiver": "tests/webhook/receiver.py starts it for many tests",
    "genesys-cloud simulator": "tests/simulator/server.py starts it for many tests",
    "(umask 077; bash docker/new-env.sh": "tests/test_compose.py makes such a file",
}
"""What is not run here, and why."""

FILES = {
    "opted_out.csv": "address,reason\n+12025550142,opted_out\n",
    "consents.csv": "address,consent,consent_at\n+12025550143,given,2026-11-01\n",
}
"""What a reader would have at hand, by the names that the documents use."""

SETTING = re.compile(r"[A-Z_]+=")
"""A line that is a variable of the environment, and no command."""

EXPORTED = date(2026, 11, 1)
"""The first day whose deliveries are there; the next one is, too."""

FINDS = {"genesys-cloud campaign prove": "planned: run the campaign to its end"}
"""What a command finds fault with here, and so ends with 1: a message was settled to be resent."""

UNKNOWN = 2
"""Messages whose outcome nobody knows, the last of the campaign's."""


@dataclass(kw_only=True)
class World:
    """An account, a ledger with a campaign that was sent, and a receiver."""

    simulator: SimulatorProcess
    receiver: ReceiverProcess
    list_id: str
    folder: Path
    unknown: list[str]
    head: str
    variables: Mapping[str, str]
    migrated: Path

    def typed(self, command: Command) -> list[str]:
        """Return a command's words, with what is at hand here in the place of the examples."""
        values = {
            "CAMPAIGN_ID": CAMPAIGN.campaign_id,
            "spring_orders": CAMPAIGN.campaign_id,
            "LIST_ID": self.list_id,
            "ADDRESS_OR_ID": "+12025550001",
            "4711:5e1f…": self.head,
            "https://hooks.example.org/webhooks/genesys-messaging": self.receiver.url,
        }
        words = [values.get(word, word) for word in command.words]
        return [self.unknown.pop() if word == "ID" else word for word in words]


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatorProcess, ...]]:
    """Run both platforms: the tutorial's contract, and the real one with its DNC lists."""
    with (
        SimulatorProcess(requests_per_minute=1_000_000) as simulator,
        SimulatorProcess(profiles="agentless") as platform,
    ):
        yield simulator, platform


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where an Airflow home is made, once a page needs one; each has a copy."""
    return tmp_path_factory.mktemp("documents") / "airflow"


@pytest.fixture
def world(
    processes: tuple[SimulatorProcess, ...], migrated: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
) -> Iterator[World]:  # fmt: skip
    """Send a campaign, leave two of its messages unknown, and stand where a reader would."""
    simulator, platform = processes
    own = platform if "genesys-cloud.md" in str(request.node.name) else simulator
    variables = {
        "GENESYS_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db",
        "GENESYS_EXPORT_URL": str(tmp_path / "exports"),
        "GENESYS_STATE_DIR": str(tmp_path / "state"),
        "GENESYS_WEBHOOK_SPOOL": str(tmp_path / "spool"),
        "GENESYS_BASE_URL": own.url,
        "GENESYS_CLIENT_ID": own.client_id,
        "GENESYS_CLIENT_SECRET": own.client_secret,
        "GENESYS_WEBHOOK_SECRET": SECRET,
        "_AIRFLOW_PROCESS_CONTEXT": "server",
    }
    # Another test may have made Airflow's database in this process, and no pool in it.
    monkeypatch.setattr(checks_airflow, "_slots", lambda: 4)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    caller = Platform(platform)
    listed = caller.admin("dnclists", {"name": "do not contact", "phoneNumbers": ["+12025550177"]})
    caller.close()
    unknown, head = _sent(variables["GENESYS_LEDGER_URL"], simulator, tmp_path / "state")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    _export(tmp_path / "exports")
    heads = tmp_path / "exports" / "audit_heads"
    heads.mkdir(parents=True)
    (heads / "2026-11-01.txt").write_text(f"{head}\n")
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    monkeypatch.chdir(tmp_path)
    with ReceiverProcess(variables["GENESYS_LEDGER_URL"]) as receiver:
        yield World(
            simulator=own, receiver=receiver, list_id=str(listed["id"]), folder=tmp_path,
            unknown=unknown, head=head, variables=variables, migrated=migrated,
        )  # fmt: skip


def _sent(ledger_url: str, simulator: SimulatorProcess, state_dir: Path) -> tuple[list[str], str]:
    """Send a planted campaign, and return the keys of those now unknown, and the trail's head."""
    from genesys_cloud.api.client import GenesysClient

    account = Account(
        name="documents", client_id=simulator.client_id, client_secret=simulator.client_secret,
        base_url=simulator.url, requests_per_minute=1_000_000,
    )  # fmt: skip
    ledger = open_ledger(ledger_url)
    plan = plant(ledger, 5)
    with GenesysClient(account, state_dir=state_dir) as client:
        Sender(ledger=ledger, client=client, account=account).send(only_shard(ledger, plan))
    with ledger.write() as connection:
        last = messages.c.row_number > 5 - UNKNOWN
        keys = connection.execute(
            update(messages)
            .where(last)
            .values(state=State.UNKNOWN, api_message_id=None)
            .returning(messages.c.message_key)
        )
        unknown = list(keys.scalars())
    head = audit.head(ledger)
    ledger.close()
    return unknown, f"{head.seq}:{head.digest}"


def _export(root: Path) -> None:
    """Put two days where the documents look for them."""
    for day in range(2):
        rows, facts = realistic_day(60, seed=day)
        put_day(root, (EXPORTED - FIRST).days + day, rows, facts=facts_of(facts))


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_do_what_it_says(page: str, world: World) -> None:
    for command in shown(page):
        if SETTING.match(command.line) or any(
            command.line.startswith(start) for start in RUN_ELSEWHERE
        ):
            continue
        _run(command, world)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_in_the_sentences_of_a_page_exist(page: str) -> None:
    for command in mentioned(page):
        words = command.words
        if words[0] == "genesys-cloud":
            _exists(command)
        elif words[0] == "make":
            _make_knows(words[1:])
        elif words[:3] == ["python", "-m", "benchmarks"]:
            assert (ROOT / "benchmarks").joinpath("__main__.py").exists()
            assert _is_benchmark(words[3]), command


def test_what_analysts_are_shown_reads_real_partitions(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {}
    for code in python_shown("docs/analysts.md"):
        exec(code, names)  # noqa: S102 - the document's own
    printed = capsys.readouterr().out
    assert "appointment-reminders" in printed
    assert "2026-11-02" in printed


def _run(command: Command, world: World) -> None:
    piped, _, last = command.line.rpartition(" | ")
    words = world.typed(Command(command.page, last))
    given = _printed(piped, world) if piped else None
    if words[0] == "genesys-cloud":
        result = run(*words[1:], given=given)
        finds = FINDS.get(" ".join(words[:3]))
        assert result.exit_code == (0 if finds is None else 1), f"{command}\n{result.output}"
        assert (finds or "") in result.output
    elif words[0] == "python" and words[1] != "-m":
        subprocess.run([sys.executable, *words[1:]], check=True, capture_output=True, timeout=180)
    elif words[0] == "make":
        _make_knows(words[1:])
    elif words[0] == "airflow":
        _airflow(words[1:], world)
    else:
        pytest.fail(f"{command.page} shows what nobody runs here: {command.line}")


def _printed(line: str, world: World) -> str:
    """Return what a first command of a pipe prints: only `cat` is used."""
    assert line.startswith("cat "), line
    return "".join(path.read_text() for path in sorted(world.folder.glob(line[4:])))


def _exists(command: Command) -> None:
    """Fail unless the command line knows the command, and its options."""
    found = get_command(cli.app)
    words = iter(command.words[1:])
    for word in words:
        inner = getattr(found, "commands", {}).get(word)
        if inner is None:
            break
        found = inner
    assert not getattr(found, "commands", None) or not command.words[2:], command
    options = {option for one in found.params for option in one.opts}
    used = {word.partition("=")[0] for word in command.words if word.startswith("--")}
    assert used <= options | {"--help"}, command


def _make_knows(words: list[str]) -> None:
    """Fail unless there is such a target; what it would do is not done here."""
    ran = subprocess.run(
        ["make", "--dry-run", *words], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def _is_benchmark(name: str) -> bool:
    text = (ROOT / "benchmarks" / "__main__.py").read_text(encoding="utf-8")
    return re.search(rf"\b{name}\b", text) is not None


def _airflow(words: list[str], world: World) -> None:
    """Run Airflow's own command line in a home of the page's."""
    home = world.folder / "airflow"
    if not home.exists():
        if not world.migrated.exists():
            _airflow_in(world.migrated, ["db", "migrate"], world)
            _airflow_in(world.migrated, ["dags", "reserialize"], world)
        shutil.copytree(world.migrated, home)
    _airflow_in(home, words, world)


def _airflow_in(home: Path, words: list[str], world: World) -> None:
    script = Path(sys.executable).with_name("airflow")
    # A copied home's configuration still names the database of the first.
    database = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db"}
    ran = subprocess.run(
        [script, *words], env=environment(home, 8080) | world.variables | database,
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
