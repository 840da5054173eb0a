"""Many rows as the one parameter of a statement, so that a batch costs what a single row costs.

A list of parameters is bound row by row, and a list in `IN (…)` makes another statement for each
length; on a batch of events that took most of the time. JSON is one value, on both databases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    FromClause,
    String,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

PARAMETER = "rows"
"""The name under which `encoded` rows are given to a statement."""

TEXT: TypeEngine[Any] = String()
NUMBER: TypeEngine[Any] = BigInteger()
MOMENT: TypeEngine[Any] = DateTime(timezone=True)


def row_set(dialect: str, columns: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """Return the rows of the statement's parameter as a table with these columns."""
    if dialect == "postgresql":
        rows = cast(bindparam(PARAMETER, type_=String), JSONB)
        typed = [column(name, kind) for name, kind in columns.items()]
        return func.jsonb_to_recordset(rows).table_valued(*typed).render_derived(with_types=True)
    each = func.json_each(bindparam(PARAMETER, type_=String)).table_valued("value")
    fields = [func.json_extract(each.c.value, f"$.{name}").label(name) for name in columns]
    return select(*fields).select_from(each).subquery()


def encoded(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Return the rows as the statement's parameter."""
    return {PARAMETER: json.dumps(rows, ensure_ascii=False)}


def moment(dialect: str, at: datetime) -> str:
    """Return an aware datetime as the dialect's tables keep it."""
    if dialect == "postgresql":
        return at.isoformat()
    return at.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")
