"""The pages of a day, joined with the ledger's facts as they come, into a spool on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage, LedgerFact, SurelyWithin
from genesys_cloud.reporting.frames import to_batch
from genesys_cloud.reporting.spool import Spool

Facts = Callable[[Sequence[str]], Mapping[str, LedgerFact]]
"""Looks up ledger facts for many message ids at once; ids that it does not know are left out."""

Learn = Callable[[Sequence[Delivery]], int]
"""Moves the ledger to the status of listed messages, where it is behind; returns how many moved."""

AT_ONCE = 2_000
"""Messages that are joined at once: a page at a time, most of the time would be overhead."""

DIFFERS = "differs"
"""Column of the spool: the ledger has another status."""

JUDGED = "judged"
"""Column of the spool: in the ledger, and surely created in the interval."""


def no_lesson(deliveries: Sequence[Delivery]) -> int:
    """Move nothing."""
    return 0


class Listing:
    """Reads pages into a spool, as often as it is told, and counts what it read."""

    def __init__(
        self, spool: Spool, facts: Facts, learn: Learn, start: datetime, end: datetime
    ) -> None:
        self._spool = spool
        self._facts = facts
        self._learn = learn
        self._surely = SurelyWithin.of(start, end)
        self.last: DeliveryPage | None = None
        self.pages = 0
        self.found: list[int] = []
        self.moved_forward = 0

    def read(self, pages: Iterable[DeliveryPage]) -> None:
        """Read all pages once more; `found` then tells how many messages are known by now."""
        for some in self._gathered(pages):
            self._spool.add(self._joined(some))
        self.found.append(self._spool.unique())

    @property
    def missing(self) -> int:
        """How many messages the last page counts beyond those that were listed."""
        if self.last is None or self.last.total is None:
            return 0
        return max(0, self.last.total - self.found[-1])

    @property
    def approximate(self) -> bool:
        """Whether the list's total is no more than about right."""
        return self.last is not None and self.last.approximate

    @property
    def settled(self) -> bool:
        """Whether the list holds all there is, however many it counts.

        An approximate total proves nothing; a second pass that finds nothing new does.
        """
        return self.approximate and self.found[-2:-1] == self.found[-1:]

    def _gathered(self, pages: Iterable[DeliveryPage]) -> Iterator[list[Delivery]]:
        """Yield the messages of the pages in lists of about AT_ONCE."""
        gathered: list[Delivery] = []
        for page in pages:
            self.last, self.pages = page, self.pages + 1
            gathered += page.deliveries
            if len(gathered) >= AT_ONCE:
                yield gathered
                gathered = []
        if gathered:
            yield gathered

    def _joined(self, deliveries: Sequence[Delivery]) -> pa.RecordBatch:
        known = dict(self._facts([one.message_id for one in deliveries]))
        behind = [
            one
            for one in deliveries
            if (fact := known.get(one.message_id)) and fact.known_behind(one.status)
        ]
        if behind and (moved := self._learn(behind)):
            self.moved_forward += moved
            known |= self._facts([one.message_id for one in behind])
        facts = [(one.status, known.get(one.message_id)) for one in deliveries]
        differs = [bool(fact and fact.status and fact.status != word) for word, fact in facts]
        judged = [bool(fact and self._surely.has(fact)) for _, fact in facts]
        batch = to_batch(deliveries, known)
        return batch.append_column(DIFFERS, pa.array(differs, pa.bool_())).append_column(
            JUDGED, pa.array(judged, pa.bool_())
        )
