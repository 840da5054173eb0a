"""How the ledger is: whether it can be written, and what waits in it for somebody.

Each of these takes milliseconds, however large the ledger is.
"""

from __future__ import annotations

from sqlalchemy import false, func, select, update
from sqlalchemy.exc import DBAPIError

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.ledger import audit, audit_chain, page_tables  # noqa: F401 - all tables count
from genesys_cloud.ledger.audit_chain import BEFORE_ALL, Head, Verdict
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import WENT_OUT, audit_entries, messages, metadata


def check_writable(ledger: Ledger) -> None:
    """Raise LedgerUnavailableError unless every table can be written; changes nothing."""
    try:
        with ledger.write() as connection, connection.begin_nested() as attempt:
            for table in metadata.sorted_tables:
                column = table.primary_key.columns[0]
                connection.execute(update(table).where(false()).values({column: column}))
            attempt.rollback()
    except (DBAPIError, LedgerUnavailableError) as error:
        cause = error.__cause__ if isinstance(error, LedgerUnavailableError) else error
        reason = str(getattr(cause, "orig", cause)).strip().splitlines()[0][:200]
        raise LedgerUnavailableError(
            f"The ledger {ledger.name} can be read and not written ({reason}). Give its user the "
            "right to change every table, in a database that takes changes; where somebody else "
            "has locked it, look again."
        ) from error


def check_end(ledger: Ledger, most: int) -> Verdict:
    """Recompute the end of the audit chain, so many entries, and hold it against its head."""
    with ledger.read() as connection:
        newest = connection.scalar(select(func.max(audit_entries.c.seq))) or 0
    head = audit.head(ledger)
    if head.seq < newest:
        why = "it lies beyond the head, which every append moves"
        return Verdict(entries=0, first_bad=head.seq + 1, why=why)
    first = max(0, newest - most)
    rows = list(audit.read(ledger, where=audit_entries.c.seq >= first, up_to=head.seq))
    after = BEFORE_ALL
    if first:
        # Where that entry is missing, no digest fits, and the check says so.
        known = rows.pop(0)["digest"] if rows and rows[0]["seq"] == first else ""
        after = Head(seq=first, digest=known)
    return audit_chain.check(rows, [head] if head.seq else [], after=after)


def unknown_sends(ledger: Ledger) -> int:
    """Return how many messages nobody knows of whether they went out."""
    query = (
        select(func.count()).select_from(messages).where(WENT_OUT, messages.c.state == "unknown")
    )
    with ledger.read() as connection:
        return connection.scalar(query) or 0
