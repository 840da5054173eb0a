"""What an OAuth client may do, tried by reads that find nothing or little and change nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from genesys_cloud.api import responses
from genesys_cloud.api.agentless_contract import AgentlessContract
from genesys_cloud.api.dnc_lists import DncLists
from genesys_cloud.api.messaging_contract import MessagingContract
from genesys_cloud.api.profiles import agentless_dnc
from genesys_cloud.api.profiles.agentless import TO_ANALYSE, TO_READ_TEMPLATES, TO_VIEW
from genesys_cloud.api.profiles.agentless_analytics import AVAILABILITY
from genesys_cloud.api.session import ApiSession


@dataclass(frozen=True, kw_only=True)
class Right:
    """A right in one profile; `to` and `only_for` say what it is for, '' for every campaign.

    `read` raises PermissionDeniedError where it is lacking.
    """

    to: str
    profile: str
    name: str
    read: Callable[[ApiSession], object]
    only_for: str = ""

    @property
    def essential(self) -> bool:
        """Whether no campaign does without it."""
        return not self.only_for

    @property
    def cure(self) -> str:
        """How the OAuth client is given it."""
        if self.profile == "messaging":
            return "Add that scope to the client in the Admin Console."
        return (
            "In the Admin Console, give the client a role with that permission, in all divisions "
            "that it is to reach (Integrations > OAuth > the client > Roles)."
        )


def _list_messages(session: ApiSession) -> object:
    now = datetime.fromtimestamp(session.clock(), UTC)
    second = timedelta(seconds=1)
    return next(iter(MessagingContract(session).listing(now - second, now)), None)


def _nobody() -> str:
    """Return an id that nothing has: where the right is lacking, nobody says that."""
    return str(uuid.uuid4())


RIGHTS: Sequence[Right] = (
    Right(
        to="list",
        profile="messaging",
        name="messaging:messages:read",
        read=_list_messages,
    ),
    Right(
        to="view",
        profile="agentless",
        name=TO_VIEW,
        read=lambda session: AgentlessContract(session).delivery(_nobody()),
    ),
    Right(
        to="report",
        profile="agentless",
        name=TO_ANALYSE,
        read=lambda session: session.read(
            AVAILABILITY, "the availability of analytics jobs", permission=TO_ANALYSE
        ),
    ),
    Right(
        to="read_templates",
        profile="agentless",
        name=TO_READ_TEMPLATES,
        only_for="WhatsApp",
        read=lambda session: responses.fetch(session, _nobody()),
    ),
    Right(
        to="view_dnc_lists",
        profile="agentless",
        name=agentless_dnc.TO_VIEW,
        only_for="sync_suppressions",
        read=lambda session: DncLists(session).lists(),
    ),
)
"""What can be tried without sending: all but the right to send."""
