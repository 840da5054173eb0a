"""A contact list with every kind of row, and what each recipient has to get, written by hand."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLUMNS = ("recipient_id", "address", "consent", "language", "timezone", "name", "date")


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One row; `wire` and `text` are what arrives, or `reason` is why nothing does."""

    cells: tuple[str, ...]
    wire: str | None = None
    text: str | None = None
    reason: str | None = None


def _gets(wire: str, text: str, *cells: str) -> Contact:
    return Contact(cells=cells, wire=wire, text=text)


def _blocked(reason: str, *cells: str) -> Contact:
    return Contact(cells=cells, reason=reason)


CONTACTS = (
    _gets(
        "whatsapp:+12025550143",
        "Hola Maria Marker, tu cita queda confirmada para el 1 de febrero de 2024.",
        *("c-1", "+12025550143", "true", "es", "", "Maria Marker", "2024-02-01"),
    ),
    _gets(
        "whatsapp:+33199001234",
        "Bonjour Zoé, votre rendez-vous est confirmé pour le 14 juillet 2027.",
        *("c-2", "+33 1 99 00 12 34", "TRUE", "fr-FR", "Europe/Paris", "Zoé", "2027-07-14"),
    ),
    _gets(
        "whatsapp:+493023125001",
        "Hallo Jürgen Weiß, Ihr Termin am 9. März 2027 ist bestätigt.",
        *("c-3", "whatsapp:+493023125001", "true", "", "", "Jürgen Weiß", "2027-03-09"),
    ),
    _gets(
        "whatsapp:+442079460123",
        "Hello Niamh, your appointment is confirmed for 1 February 2024.",
        *("c-4", "+442079460123", "True", "en-GB", "", "Niamh", "2024-02-01T10:30:00Z"),
    ),
    _gets(
        "whatsapp:+12125550101",
        "Hello O'Brien; DROP TABLE messages, your appointment is confirmed for January 2, 2027.",
        *("c-5", "+12125550101", "true", "", "", "O'Brien; DROP TABLE messages", "2027-01-02"),
    ),
    # No template speaks Portuguese: the campaign's default language serves.
    _gets(
        "whatsapp:+12125550102",
        "Hello {{ 7*7 }}, your appointment is confirmed for January 2, 2027.",
        *("c-6", "+12125550102", "true", "pt-BR", "", "{{ 7*7 }}", "2027-01-02"),
    ),
    _gets(
        "whatsapp:+12125550103",
        "Hola Zoë 🎉, tu cita queda confirmada para el 2 de enero de 2027.",
        *("", "+1 (212) 555-0103", "true", "es_MX", "America/Chicago", "Zoë 🎉", "2027-01-02"),
    ),
    # The number of c-1 again, written otherwise.
    _blocked("duplicate_address", "c-8", "+1-202-555-0143", "true", "en", "", "Twin", "2024-02-01"),
    _blocked("consent_not_verified", "c-9", "+12125550104", "false", "", "", "No", "2027-01-02"),
    _blocked("consent_not_verified", "c-10", "+12125550105", "", "", "", "Blank", "2027-01-02"),
    _blocked("consent_not_verified", "c-11", "+12125550106", "yes", "", "", "Yes", "2027-01-02"),
    _blocked("address_not_e164", "c-12", "2125550107", "true", "", "", "Bare", "2027-01-02"),
    _blocked("number_invalid", "c-13", "+15550001234", "true", "", "", "Sample", "2027-01-02"),
    _blocked("number_not_textable", "c-14", "+18002345678", "true", "", "", "Free", "2027-01-02"),
    _blocked("address_missing", "c-15", "", "true", "", "", "Nowhere", "2027-01-02"),
    _blocked(
        "address_channel_mismatch", "c-16", "sms:+12125550108", "true", "", "", "Sms", "2027-01-02"
    ),
    _blocked("missing_variable", "c-17", "+12125550109", "true", "", "", "", "2027-01-02"),
    _blocked("invalid_value", "c-18", "+12125550110", "true", "", "", "Soon", "next week"),
    _blocked("row_malformed", "c-19", "+12125550111", "true", "", "", "Comma", "2027-01-02", "x"),
    # The first row of a number decides, also where it says no.
    _blocked("consent_not_verified", "c-20", "+12125550112", "no", "", "", "No", "2027-01-02"),
    _blocked("duplicate_address", "c-21", "+12125550112", "true", "", "", "No", "2027-01-02"),
)

ARRIVALS = sorted((one.wire, one.text) for one in CONTACTS if one.wire and one.text)
"""Every message that may reach Genesys, by address."""

REASONS = [one.reason for one in CONTACTS]
"""Why each row gets nothing, None where it gets its text."""

PERSONAL = (
    *("12025550143", "33199001234", "493023125001", "442079460123", "2125550101", "2125550109"),
    *("Maria Marker", "DROP TABLE", "rendez-vous", "tu cita queda"),
)
"""What stands in the list or in a text, and may be nowhere outside the ledger."""


def write_contacts(path: Path) -> Path:
    """Write the list as CSV and return its path."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(one.cells for one in CONTACTS)
    return path


def filled_in(folder: Path, **further: object) -> dict[str, Any]:
    """Return what a person fills in for a real run to these contacts that nobody approves."""
    return {
        "campaign_id": "winter",
        "audience": str(write_contacts(folder / "contacts.csv")),
        "template": "appointment_reminder",
        "channel": "messaging:whatsapp",
        "sender": "whatsapp:+12025550100",
        "dry_run": False,
        "require_approval": False,
        **further,
    }
