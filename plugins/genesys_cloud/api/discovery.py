"""What a client finds out about its host once, and keeps with the token for all who share it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from genesys_cloud.api import rate_limits
from genesys_cloud.api.failures import refusal
from genesys_cloud.api.profiles import messaging
from genesys_cloud.api.profiles.limits import NAMESPACE, limits_path
from genesys_cloud.api.session import ApiSession
from genesys_cloud.api.token_store import Learnt, Profile, RateLimit
from genesys_cloud.api.transport import Answer
from genesys_cloud.errors import NotSentError, OutcomeUnknownError, ThrottledError

PINNED = "the connection names it"

_NO_WORD = frozenset({407, 408, 429})
"""Of 4xx, those that say nothing of the path: a proxy's, a timeout, and a limit."""


class Discovery:
    """Which profile a host serves, and how many requests a minute it takes.

    Asks once, however many threads and processes of this machine want to know at the same time;
    nobody is told to wait for the rate limit meanwhile. Its methods raise NotSentError where the
    host gives no clear answer, and what a token's fetching raises.
    """

    def __init__(self, session: ApiSession) -> None:
        self._session = session
        self._profile: Profile | None = None
        self._limit: RateLimit | None = None

    def profile(self) -> Profile:
        """Return the profile in force, and how that is known."""
        if self._profile is None:
            pinned = self._session.account.profile
            self._profile = self._asked() if pinned == "auto" else Profile(pinned, PINNED)
        return self._profile

    def limit(self) -> RateLimit:
        """Return the requests a minute that the account may make, and who says so."""
        if self._limit is None:
            account = self._session.account
            configured = account.requests_per_minute
            if configured is None:
                self._limit = self._learn_limit()
            else:
                self._limit = RateLimit(configured, f"connection {account.name!r} says so")
        return self._limit

    def _asked(self) -> Profile:
        auth = self._session.auth
        found = auth.learnt().profile
        if found is None:
            with auth.alone():
                learnt = auth.learnt()
                if learnt.profile is None:  # nobody else has asked meanwhile
                    learnt = self._probe()
                    auth.note(learnt)
                found = learnt.profile
        if found is None:
            raise RuntimeError("a probe that found no profile did not say so")
        return found

    def _probe(self) -> Learnt:
        """Ask for a second's worth of the tutorial's list; only that contract serves its path."""
        now = datetime.fromtimestamp(self._session.clock(), UTC)
        path = messaging.list_path(now - timedelta(seconds=1), now, (), 1)
        call = self._session.call("GET", path, "the profile that the host serves")
        try:
            answer = self._session.answer(call, paced=False)
        except NotSentError as error:
            raise self._nobody_knows(str(error)) from error
        if answer.status == 401:
            raise refusal(call, answer)
        if not _is_clear(answer):
            raise self._nobody_knows(str(refusal(call, answer)))
        name = "agentless" if answer.status == 404 else "messaging"
        reason = f"the host answers {answer.status} for {messaging.MESSAGES}"
        # The other profile has an organisation that can be asked; here the header is all there is.
        limit = rate_limits.from_header(answer) if name == "messaging" else None
        return Learnt(profile=Profile(name, reason), limit=limit)

    def _nobody_knows(self, why: str) -> NotSentError:
        return NotSentError(
            f"Nobody knows which profile {self._session.hosts.api} serves, so nothing was sent: "
            f"{why} Where it lasts, set the profile of connection {self._session.account.name!r} "
            "to messaging or agentless."
        )

    def _learn_limit(self) -> RateLimit:
        auth = self._session.auth
        profile = self.profile()
        learnt = auth.learnt()
        if learnt.limit is None and profile.name == "agentless":
            with auth.alone():
                learnt = auth.learnt()
                if learnt.limit is None and (limit := self._organisation_limit()) is not None:
                    learnt = replace(learnt, limit=limit)
                    auth.note(learnt)
        return learnt.limit or rate_limits.USUAL

    def _organisation_limit(self) -> RateLimit | None:
        """Return what the organisation's limits say, None where they can't be read now."""
        call = self._session.call("GET", limits_path(NAMESPACE), "the organisation's limits")
        try:
            answer = self._session.exchange(call)
        except (NotSentError, OutcomeUnknownError, ThrottledError):
            return None
        found = rate_limits.from_organisation(answer) or rate_limits.from_header(answer)
        if found is None and answer.status < 500 and answer.status not in _NO_WORD:
            return rate_limits.USUAL  # a clear no will be no for as long as the token lives
        return found


def _is_clear(answer: Answer) -> bool:
    """Whether an answer says if the path is served; a 2xx of some other server is no JSON."""
    if answer.ok:
        return isinstance(answer.json(), dict)
    return 400 <= answer.status < 500 and answer.status not in _NO_WORD
