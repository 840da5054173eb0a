"""The baseline of a plan: the same steps row by row, as one would write them at first.

It has no sandbox, no language but the row's, no duplicates, no audit trail, no record of consent or
suppression, and keeps no reason.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2
import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from genesys_cloud.ledger import plans
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.campaign import Campaign

_PER_TRANSACTION = 1_000
_TEXTABLE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_GSM_7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_COLUMNS = (
    "message_key", "occurrence_id", "row_number", "recipient_id", "address", "address_key",
    "language", "text", "text_digest", "segments", "plan_no", "state", "fence", "attempts",
)  # fmt: skip


def plan(ledger: Ledger, campaign: Campaign, people: Path, templates: Path) -> None:
    """Plan a contact list by the plain loop."""
    occurrence = plans.begin(
        ledger, campaign, occurrence=people.stem, sender=campaign.sender, template_version="plain",
        now=datetime.now(UTC),
    )  # fmt: skip
    texts = {
        path.stem: jinja2.Template(path.read_text(encoding="utf-8"))
        for path in (templates / campaign.template).glob("*.j2")
    }
    connection = ledger.engine.raw_connection()
    mark = "?" if ledger.engine.dialect.name == "sqlite" else "%s"
    statement = (
        f"INSERT INTO messages ({', '.join(_COLUMNS)}) "  # noqa: S608 - no input
        f"VALUES ({', '.join([mark] * len(_COLUMNS))})"
    )
    with people.open(newline="", encoding="utf-8") as file:
        cursor = connection.cursor()
        for number, row in enumerate(csv.DictReader(file), start=1):
            if number % _PER_TRANSACTION == 1:
                connection.commit()
                if mark == "?":  # our SQLite connections begin no transaction of their own accord
                    cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(statement, _values(occurrence.occurrence_id, number, row, texts))
        connection.commit()
    connection.close()


def _values(
    occurrence_id: int, number: int, row: Mapping[str, str], texts: Mapping[str, jinja2.Template]
) -> tuple[Any, ...]:
    address = _normalised(row["address"])
    text = ""
    if address is not None and row["consent"] == "true":
        text = texts.get(row["language"], texts["en"]).render(greeting="Hello", **row)
    key = sha256(f"{occurrence_id} {row['recipient_id']} {address}".encode()).hexdigest()
    return (
        key, occurrence_id, number, row["recipient_id"], address or row["address"], key,
        row["language"], text, sha256(text.encode()).hexdigest(), _segments(text), 1,
        "planned" if text else "blocked", 0, 0,
    )  # fmt: skip


def _normalised(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.number_type(number) not in _TEXTABLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _segments(text: str) -> int:
    alone, joined = (160, 153) if all(one in _GSM_7 for one in text) else (70, 67)
    return 1 if len(text) <= alone else -(-len(text) // joined)
