"""`python -m benchmarks [FIGURE …]`: measures and prints; asserts nothing."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import (
    commands,
    endurance,
    figures,
    live,
    machine,
    pacing,
    page,
    parse,
    plan,
    receiver,
    report,
    rules,
    send,
)
from benchmarks.scale import Scale
from benchmarks.table import Table

Figure = Callable[[Any, Path], Table]

FIGURES: Mapping[str, tuple[Figure, Mapping[Scale, Any]]] = {
    each.__name__.rpartition(".")[2]: (each.figure, each.SIZES)
    for each in (send, parse, plan, rules, receiver, report, figures, pacing)
}
ON_REQUEST: Mapping[str, tuple[Figure, Mapping[Scale, Any]]] = {
    "endurance": (endurance.figure, endurance.SIZES),
    "live": (live.figure, live.SIZES),
    "demo": (commands.demo, dict.fromkeys(Scale)),
    "suite": (commands.suite, dict.fromkeys(Scale)),
}
"""Figures that take minutes and disturb others: only where they are named."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the figures that are named, all but the slow ones where none is."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(given)
    names = arguments.names or list(FIGURES)
    if arguments.with_demo:
        names = [*names, "demo"]
    described = machine.describe()
    print(f"{described}\n", flush=True)
    for name in names:
        table = measure(name, Scale.QUICK if arguments.quick else Scale.FULL)
        print(table.as_text(), flush=True)
        if arguments.markdown:
            command = " ".join(["python -m benchmarks", name, *["--quick"] * arguments.quick])
            page.refresh(page.PAGE, name, table, machine=described, command=command)
    return 0


def measure(name: str, scale: Scale) -> Table:
    """Measure one figure."""
    figure, sizes = {**FIGURES, **ON_REQUEST}[name]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        return figure(sizes[scale], Path(folder))


def _known(name: str) -> str:
    if name not in {*FIGURES, *ON_REQUEST}:
        raise argparse.ArgumentTypeError(f"there is no figure {name!r}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    every = f"{', '.join(FIGURES)}; only on request {', '.join(ON_REQUEST)}"
    parser.add_argument("names", nargs="*", type=_known, metavar="FIGURE", help=every)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, rougher figures")
    parser.add_argument("--with-demo", action="store_true", help="time `make demo` as well")
    parser.add_argument("--markdown", action="store_true", help="put them into docs/performance.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
