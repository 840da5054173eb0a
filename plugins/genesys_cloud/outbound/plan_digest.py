"""One digest over everything that decides what a plan sends: what a person approves.

It is added up in the pass that decides about the rows, in the contact list's order: a hash more a
row, a second for a million, and no second reading of the ledger. The same list, template, settings
and policies give the same digest, whenever they are planned and whatever has been sent meanwhile,
so that a campaign that is started again goes on under its approval.

Outside it stays what only takes away, and is asked again as each message goes out: suppressions,
consent on record, caps. Outside it stays the clock, too: a message that quiet hours hold now is the
one that goes out when its window opens. What an earlier plan left waiting, and this one's list does
not name, goes out with it and is in its digest, if that plan might go out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from genesys_cloud.outbound.campaign import Campaign

NOT_DECIDING: Final = frozenset({"batch_size"})
"""Settings of a campaign that change neither what is sent, nor when, nor to whom."""

SHOWN: Final = 12
"""Characters of a digest that people compare."""


class PlanDigest:
    """Adds a plan up: its settings first, each row as it is decided, what was left over last.

    `sender` is the wire form; `quiet_hours` is the policy's version, None where nobody has any.
    """

    def __init__(
        self,
        campaign: Campaign,
        *,
        occurrence: str,
        profile: str,
        sender: str,
        template_version: str,
        audience_digest: str | None,
        quiet_hours: str | None,
    ) -> None:
        settings = {
            name: value for name, value in asdict(campaign).items() if name not in NOT_DECIDING
        }
        settings |= {
            "occurrence": occurrence,
            "profile": profile,
            "sender": sender,
            "template_version": template_version,
            "audience_digest": audience_digest,
            "quiet_hours": quiet_hours,
        }
        # One line: rows begin with a line's end, so that nothing runs together.
        self._digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=_utc).encode())

    def add(self, message_key: str, text_digest: str, blocked: str | None) -> None:
        """Add a recipient: who, which text, or the code of the reason why not."""
        self._digest.update(f"\n{message_key} {text_digest} {blocked or ''}".encode())

    def add_left_over(self, message_key: str, text_digest: str) -> None:
        """Add a message of an earlier plan that still waits; they come in their keys' order."""
        self._digest.update(f"\n+ {message_key} {text_digest}".encode())

    def hexdigest(self) -> str:
        """Return the digest of all that was added."""
        return self._digest.hexdigest()


def _utc(value: object) -> str:
    """Return an instant, however its offset was written."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"a campaign's setting is no {type(value).__name__}")
