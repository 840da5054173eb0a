"""A worker process of a planning: reads rows from its standard input, writes what became of them.

The first thing it reads is its job, which it answers with its template's version; then every block
of rows is answered by as many messages. It ends with its input.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import Any, BinaryIO

from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.seen_addresses import NoneSeen
from genesys_cloud.outbound.templates import TemplateLibrary


def main() -> None:
    """Serve the process that started this one, until it has no more rows or is gone."""
    # Who stops the task stops its process, which ends this one; a traceback here would say nothing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    try:
        serve(sys.stdin.buffer, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)


def serve(work: BinaryIO, answers: BinaryIO) -> None:
    """Answer blocks of rows; raises EOFError at the end of the work."""
    templates, job = _read(work)
    library = TemplateLibrary(root=templates)
    template = library.load(job.campaign.template, job.campaign.channel, job.profile)
    planner = job.planner(template, NoneSeen())
    _write(answers, template.version)
    while True:
        rows = [Row(number=n, values=values, problem=problem) for n, values, problem in _read(work)]
        _write(answers, [tuple(job.message(planner, row)) for row in rows])


def _read(work: BinaryIO) -> Any:
    return pickle.load(work)  # noqa: S301 - from the process that started this one


def _write(answers: BinaryIO, answer: object) -> None:
    pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()
