"""`python -m genesys_cloud.simulator`: serves a simulator until it is told to stop."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields

from genesys_cloud.simulator.options import SimulatorOptions
from genesys_cloud.simulator.server import run


def parse(argv: Sequence[str] | None = None) -> SimulatorOptions:
    """Return the options of a command line; each field of SimulatorOptions is one."""
    parser = argparse.ArgumentParser(
        prog="simulator",
        description="A Genesys that runs on this machine.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for option in fields(SimulatorOptions):
        parser.add_argument(
            "--" + option.name.replace("_", "-"),
            type=_flag if isinstance(option.default, bool) else type(option.default),
            default=option.default,
            help=option.metadata["help"],
        )
    try:
        return SimulatorOptions(**vars(parser.parse_args(argv)))
    except ValueError as problem:
        parser.error(str(problem))


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal comes and return the exit code."""
    try:
        run(parse(argv))
    except OSError as problem:
        print(f"simulator can not listen: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
