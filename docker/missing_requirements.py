"""Print the lines of a requirements file that this environment lacks, whatever version it has.

python missing_requirements.py requirements.txt
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def missing(lines: list[str], installed: set[str]) -> list[str]:
    """Return the requirements that apply here and are not installed; `installed` is canonical."""
    wanted = (line.partition("#")[0].strip() for line in lines)
    requirements = [Requirement(line) for line in wanted if line]
    return [
        str(requirement)
        for requirement in requirements
        if canonicalize_name(requirement.name) not in installed
        and (requirement.marker is None or requirement.marker.evaluate())
    ]


def main() -> None:
    """Read the file that the command line names."""
    names = (found.metadata["Name"] for found in metadata.distributions())
    installed = {str(canonicalize_name(name)) for name in names}
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    sys.stdout.writelines(f"{line}\n" for line in missing(lines, installed))


if __name__ == "__main__":
    main()
