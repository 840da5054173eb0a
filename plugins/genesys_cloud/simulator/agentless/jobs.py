"""Asynchronous analytics jobs: they take a while, and their data is behind."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from genesys_cloud.simulator.agentless.conversations import Conversation
from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.instants import now_ms
from genesys_cloud.simulator.options import SimulatorOptions

KEPT_MS = 3 * 86_400_000


@dataclass(slots=True)
class Job:
    """A job: what it will answer, and when it is done; times in epoch milliseconds."""

    id: str
    found: list[Conversation]
    submitted_ms: int
    completed_ms: int
    available_ms: int
    cancelled: bool = False

    def state(self, at_ms: int) -> str:
        """Return how far the job is."""
        if self.cancelled:
            return "CANCELLED"
        if at_ms >= self.completed_ms:
            return "FULFILLED"
        taken = self.completed_ms - self.submitted_ms
        return "PENDING" if (at_ms - self.submitted_ms) * 3 >= taken else "QUEUED"


class JobBook:
    """The jobs by id."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self._jobs: dict[str, Job] = {}

    def available_ms(self) -> int:
        """Return up to when the data reaches that jobs see."""
        return now_ms() - round(self._options.datalake_lag_s * 1000)

    def add(self, found: list[Conversation]) -> Job:
        """Keep a job over what was found, as far as the data reaches."""
        now, available_ms = now_ms(), self.available_ms()
        seen = [each for each in found if each.start_ms <= available_ms]
        done = now + round(self._options.job_seconds * 1000)
        job = Job(str(uuid.uuid4()), seen, now, done, available_ms)
        self._jobs[job.id] = job
        return job

    def get(self, job_id: str) -> Job:
        """Return a job; raises ApiError 404."""
        if (job := self._jobs.get(job_id)) is None:
            raise ApiError(404, "not.found", f"There is no job {job_id}.")
        return job
