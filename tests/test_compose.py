"""docker-compose.yaml and what belongs to it, without an engine: read as data.

`make lint` has Compose itself check the file where Compose is.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import subprocess
from types import ModuleType

import pytest

from tests.compose_file import ROOT, SECRET, SERVICES, TEXT, interpolations, required

ONE_SHOTS = {"airflow-init", "ledger-database"}
RUNS_AIRFLOW = {name for name in SERVICES if name.startswith("airflow-")} - {"airflow-init"}
SPOOL = "spool:/opt/airflow/genesys_webhook_spool"
AIRFLOW = {name for name in SERVICES if name.startswith("airflow-")}


def new_env(*arguments: str) -> dict[str, str]:
    """Return what docker/new-env.sh prints, as Compose would read it."""
    command = ["bash", str(ROOT / "docker/new-env.sh"), *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pairs = (line.split("=", 1) for line in printed.splitlines() if re.match(r"[A-Z_]+=", line))
    return {name: value.strip("'") for name, value in pairs}


def test_the_services_of_a_distributed_airflow_are_there() -> None:
    assert set(SERVICES) == ONE_SHOTS | {
        *("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"),
        *("airflow-worker", "postgres", "redis", "receiver", "simulator"),
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_a_health_check_or_is_waited_for_until_it_has_ended(name: str) -> None:
    conditions = {
        service["depends_on"][name]["condition"]
        for service in SERVICES.values()
        if name in service.get("depends_on", {})
    }
    if name in ONE_SHOTS:
        assert "healthcheck" not in SERVICES[name]
        # `up --wait` takes a service that exits for a failure unless another one waits for its end.
        assert conditions == {"service_completed_successfully"}
    else:
        assert SERVICES[name]["healthcheck"]["test"]
        assert conditions <= {"service_healthy"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOTS))
def test_a_service_comes_back_after_a_crash_and_its_log_has_a_limit(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["logging"] == {"driver": "local"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_port_is_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_is_pinned(name: str) -> None:
    image = re.sub(r"\$\{[A-Z_]+:-(.*)\}", r"\1", SERVICES[name]["image"])
    _, _, tag = image.partition(":")
    assert re.match(r"\d", tag), image


def test_only_the_simulator_needs_a_profile() -> None:
    profiles = {name: s["profiles"] for name, s in SERVICES.items() if "profiles" in s}
    assert profiles == {"simulator": ["demo"]}


def test_one_service_builds_the_image_and_nobody_pulls_it() -> None:
    ours = {name for name, s in SERVICES.items() if "genesys-cloud-campaigns" in s["image"]}
    assert ours == AIRFLOW | {"receiver", "simulator"}
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["airflow-init"]
    assert {SERVICES[name]["pull_policy"] for name in ours} == {"never"}


def test_no_secret_has_a_default() -> None:
    used = interpolations()
    secrets = {name for name, _ in used if SECRET.search(name)}
    assert secrets >= {"AIRFLOW_FERNET_KEY", "POSTGRES_PASSWORD", "GENESYS_CLIENT_SECRET"}
    assert {operator for name, operator in used if name in secrets} == {":?"}


def test_a_missing_secret_is_explained() -> None:
    sentences = dict(re.findall(r"\$\{([A-Z_]+):\?([^}]*)\}", TEXT))
    assert all(len(sentence) > 10 for sentence in sentences.values())


@pytest.mark.parametrize(
    "key",
    ["CORE__FERNET_KEY", "API_AUTH__JWT_SECRET", "API__SECRET_KEY", "DATABASE__SQL_ALCHEMY_CONN"],
)
def test_all_of_airflow_shares_what_it_has_to_share(key: str) -> None:
    assert len({SERVICES[name]["environment"][f"AIRFLOW__{key}"] for name in AIRFLOW}) == 1


def test_the_receiver_knows_the_ledger_and_the_signing_secret_and_nothing_of_airflow() -> None:
    assert set(SERVICES["receiver"]["environment"]) == {
        "GENESYS_INCLUDE_DIR",  # where the opt-out words are
        "GENESYS_LEDGER_URL",
        "GENESYS_WEBHOOK_API_KEY",
        "GENESYS_WEBHOOK_SECRET",
        "GENESYS_WEBHOOK_SPOOL_BYTES",
        "GENESYS_WEBHOOK_TOLERANCE_S",
    }
    assert SERVICES["receiver"]["volumes"] == ["./include:/opt/airflow/include:ro", SPOOL]


def test_the_spool_outlives_containers_and_can_be_reached_by_an_erasure() -> None:
    assert all(SPOOL in SERVICES[name]["volumes"] for name in RUNS_AIRFLOW)
    # A volume takes over the owner of the folder that the image has there.
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"mkdir -p .*\bgenesys_webhook_spool\b", dockerfile)


def test_a_worker_that_is_stopped_may_end_its_tasks() -> None:
    worker = SERVICES["airflow-worker"]
    # dumb-init would otherwise signal the task processes too, and a post under way is then unknown.
    assert worker["environment"]["DUMB_INIT_SETSID"] == "0"
    assert worker["stop_grace_period"] == "5m"
    assert "container_name" not in worker  # or there could be only one of it


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_mounted_from_the_project_is_there_and_read_only(name: str) -> None:
    mounts = [volume for volume in SERVICES[name].get("volumes", []) if volume.startswith("./")]
    for source, _, mode in (mount.split(":") for mount in mounts):
        assert (ROOT / source).exists()
        assert mode == "ro"


def test_the_image_is_the_airflow_of_the_requirements_and_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    (base,) = [line.split()[1] for line in lines if line.startswith("FROM ")]
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert base.replace("apache/airflow:", "apache-airflow==") in requirements
    assert users[-1] == "airflow"


def test_the_build_sees_the_code_and_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert {"plugins", "dags", "include", "pyproject.toml", "requirements.txt"} <= allowed
    assert not [name for name in allowed if ".env" in name or ".git" in name]


def test_the_demo_needs_nothing_to_be_filled_in() -> None:
    made = new_env("--demo")
    assert [name for name in sorted(required()) if not made[name]] == []
    connection = json.loads(made["AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT"])
    assert connection["login"] == made["GENESYS_CLIENT_ID"]
    assert connection["password"] == made["GENESYS_CLIENT_SECRET"]
    assert connection["extra"]["webhook_secret"] == made["GENESYS_WEBHOOK_SECRET"]
    assert connection["extra"]["requests_per_minute"] == int(made["SIMULATOR_REQUESTS_PER_MINUTE"])


def test_a_real_account_is_all_that_is_left_to_fill_in() -> None:
    made = new_env()
    empty = {name for name in required() if not made[name]}
    assert empty == {"GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET"}
    assert "AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT" not in made


def test_secrets_that_are_made_up_are_strong_and_never_the_same() -> None:
    one, other = new_env(), new_env()
    made = {name for name, value in one.items() if SECRET.search(name) and value}
    assert {name for name in made if one[name] == other[name]} == set()
    assert len(base64.urlsafe_b64decode(one["AIRFLOW_FERNET_KEY"])) == 32
    assert len(one["AIRFLOW_JWT_SECRET"]) >= 64
    in_urls = ("POSTGRES_PASSWORD", "LEDGER_DB_PASSWORD", "REDIS_PASSWORD")
    assert all(re.fullmatch(r"[0-9a-f]{48}", one[name]) for name in in_urls)


def missing_requirements() -> ModuleType:
    spec = importlib.util.spec_from_file_location("m", ROOT / "docker/missing_requirements.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_image_gets_what_the_base_lacks_and_keeps_the_versions_it_has() -> None:
    lines = [
        "# a comment",
        "",
        "SQLAlchemy==2.1.9",
        "ruamel_yaml==1.0  # spelled another way",
        "phonenumbers==9.0.43",
        "colorama==0.4.6 ; sys_platform == 'win32'",
    ]
    missing = missing_requirements().missing(lines, {"sqlalchemy", "ruamel-yaml"})
    assert missing == ["phonenumbers==9.0.43"]
