"""Where the API's list and the ledger agree on a day, and where they do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genesys_cloud.outbound.deliveries import Delivery

NotSent = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Recipients without a message, counted by campaign, state and reason."""


@dataclass(frozen=True, kw_only=True)
class LedgerSide:
    """What a partition asks of the ledger beside the facts of listed messages.

    `learn` takes listed messages whose status is further than the ledger's, moves them there, and
    returns how many moved. `accepted` counts the messages that were surely created in the interval
    by what the ledger knows, and `not_sent` those that never got that far.
    """

    learn: Callable[[Sequence[Delivery]], int]
    accepted: Callable[[], int]
    not_sent: Callable[[], NotSent]


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The counts of a day; `in_ledger_not_in_api` is None where no ledger was asked.

    `status_differs` are rows whose status is another one in the ledger after it learnt from the
    list: the ledger is further, or the word is none that we know. `moved_forward` are messages that
    the ledger learnt a later status of, by all exports of the day together.
    """

    in_api_not_in_ledger: int
    in_ledger_not_in_api: int | None
    status_differs: int
    moved_forward: int

    def as_dict(self) -> dict[str, Any]:
        """Return the counts with their names in the manifest."""
        return {
            "inApiNotInLedger": self.in_api_not_in_ledger,
            "inLedgerNotInApi": self.in_ledger_not_in_api,
            "statusDiffers": self.status_differs,
            "movedForward": self.moved_forward,
        }
