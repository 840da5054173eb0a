"""What parsing all DAG files costs, beside as many files of one empty task each."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fresh import in_fork, in_fresh_process
from benchmarks.scale import Scale
from benchmarks.servers import ROOT
from benchmarks.table import Table
from benchmarks.timing import Cost, cost_of, cpu, interleave, seconds, times_as_long

DAGS = ROOT / "dags"
_EMPTY = """
from airflow.sdk import DAG, task

with DAG("empty_{number}", schedule=None):

    @task
    def nothing(): ...

    nothing()
"""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How often each folder is parsed."""

    rounds: int


SIZES = {Scale.FULL: Sizes(rounds=15), Scale.QUICK: Sizes(rounds=5), Scale.TINY: Sizes(rounds=1)}


def figure(sizes: Sizes, folder: Path) -> Table:
    """Compare the project's DAG files with empty ones."""
    count = len(list(DAGS.glob("*.py")))
    empty = folder / "empty"
    empty.mkdir()
    for number in range(count):
        (empty / f"empty_{number}.py").write_text(_EMPTY.format(number=number))
    folders = {f"{count} files with an empty task": empty, f"the {count} files of dags/": DAGS}
    costs = in_fresh_process(parse_all, folders, folder / "airflow", sizes.rounds)
    baseline = next(iter(costs.values()))
    return Table(
        title="Parsing all DAG files",
        columns=("", "ms", "CPU ms", "time beside empty files"),
        rows=[
            [
                name,
                f"{1e3 * seconds(each):.0f}",
                f"{1e3 * cpu(each):.0f}",
                times_as_long(each, baseline),
            ]
            for name, each in costs.items()
        ],
        notes=(
            f"Median of {sizes.rounds} interleaved runs, each in a fork of a process that has "
            "imported Airflow and nothing of the project, as the DAG processor works.",
        ),
    )


def parse_all(folders: Mapping[str, Path], home: Path, rounds: int) -> dict[str, list[Cost]]:
    """Import Airflow, then parse each folder in forks; for a fresh process."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "GENESYS"))]:
        del os.environ[name]
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    }
    import airflow.dag_processing.dagbag
    import airflow.sdk

    _ = airflow.sdk.DAG, airflow.sdk.task  # the package imports its parts when asked for them
    gc.collect()
    gc.freeze()  # so that no collection of Airflow's own objects falls into a run by chance
    contestants = {
        name: lambda folder=folder: in_fork(parse, folder) for name, folder in folders.items()
    }
    return interleave(contestants, rounds)


def parse(folder: Path) -> Cost:
    """Parse a folder as the DAG processor does."""
    from airflow.dag_processing.dagbag import DagBag

    bags: list[DagBag] = []
    cost = cost_of(lambda: bags.append(DagBag(folder)))
    if bags[0].import_errors or not bags[0].dags:
        raise RuntimeError(f"{folder} does not parse: {bags[0].import_errors}")
    return cost
