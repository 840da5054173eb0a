"""Asynchronous analytics jobs: begun, waited for, read by cursor and deleted."""

from __future__ import annotations

import logging
from collections.abc import Generator
from types import TracebackType
from typing import Self

from genesys_cloud.api.profiles import agentless_analytics as profile
from genesys_cloud.api.profiles.agentless import TO_ANALYSE
from genesys_cloud.api.profiles.agentless_analytics import ConversationPage, Wanted
from genesys_cloud.api.session import ApiSession
from genesys_cloud.errors import CampaignError, PagingError

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

LONGEST_WAIT_S = 1800.0
"""Pauses after which a job is given up; the query then reads the same."""

MOST_PAGES = 100_000

_STILL_WORKING = frozenset({"QUEUED", "PENDING"})


class AnalyticsJob:
    """One job on the platform; leaving its context deletes it there, as far as that goes."""

    def __init__(self, session: ApiSession, wanted: Wanted) -> None:
        self._session = session
        self._what = f"the analytics job of the conversations from {wanted.start} to {wanted.end}"
        # A POST whose answer is lost leaves a job behind that nobody reads; the platform drops it.
        self._id = profile.parse_job_id(
            session.ask(profile.JOBS, profile.job_body(wanted), self._what, permission=TO_ANALYSE)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        call = self._session.call("DELETE", profile.job_path(self._id), self._what)
        try:
            self._session.answer(call)
        except CampaignError as lost:
            log.info("%s stays until the platform drops it: %s", self._what, lost)

    def wait(self) -> None:
        """Wait until the results are there, looking often at first and then less often.

        Raises PagingError where the job fails, expires or takes longer than LONGEST_WAIT_S.
        """
        pause, waited = FIRST_PAUSE_S, 0.0
        while (state := self._state()).word in _STILL_WORKING:
            if waited >= LONGEST_WAIT_S:
                raise PagingError(
                    f"{self._what.capitalize()} is still {state.word} after {waited:.0f} s. Run "
                    "the day again later, or read it by the query in shorter intervals."
                )
            self._session.sleep(pause)
            waited += pause
            pause = min(pause * 2, LONGEST_PAUSE_S)
        if state.word != "FULFILLED":
            raise PagingError(
                f"{self._what.capitalize()} ended as {state.word}: {state.reason}. Run the day "
                "again, or read it by the query in shorter intervals."
            )

    def pages(self) -> Generator[ConversationPage]:
        """Yield the results to their end; raises PagingError where a cursor comes back."""
        cursor: str | None = None
        seen: set[int] = set()
        for number in range(1, MOST_PAGES + 1):
            body = self._session.read(
                profile.results_path(self._id, cursor),
                f"{self._what}, page {number} of its results",
                permission=TO_ANALYSE,
            )
            page, cursor = profile.parse_results(body)
            yield page
            if cursor is None:
                return
            if hash(cursor) in seen:
                break
            seen.add(hash(cursor))
        raise PagingError(
            f"{self._what.capitalize()} has results without an end: page {number} names a next "
            "page that was there before, or there are too many. Run the day again, and give "
            "Genesys support the interval if it lasts."
        )

    def _state(self) -> profile.JobState:
        path = profile.job_path(self._id)
        return profile.parse_job_state(self._session.read(path, self._what, permission=TO_ANALYSE))
