"""Do-not-contact lists: their numbers, and the files that they are exported to."""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import dataclass, field
from typing import Any

from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.instants import now_ms, to_iso

LISTS = "/api/v2/outbound/dnclists"


@dataclass(slots=True)
class DncList:
    """An internal list: numbers, and when each stops counting."""

    id: str
    name: str
    contact_method: str
    created_ms: int
    changed_ms: int
    version: int = 1
    numbers: dict[str, str | None] = field(default_factory=dict)
    exported: str | None = None
    exported_ms: int = 0

    def add(self, numbers: list[str], until: str | None = None) -> None:
        """Put numbers on the list, for good or until an instant."""
        self.numbers |= dict.fromkeys(numbers, until)
        self._touch()

    def remove(self, numbers: list[str]) -> None:
        """Take numbers off the list; one that is not on it is no error."""
        for number in numbers:
            self.numbers.pop(number, None)
        self._touch()

    def as_csv(self) -> str:
        """Return the list as a file with a heading."""
        file = io.StringIO()
        rows = csv.writer(file)
        rows.writerow(["phone", "expirationDateTime"])
        rows.writerows((number, until or "") for number, until in self.numbers.items())
        return file.getvalue()

    def shown(self) -> dict[str, Any]:
        """Return the list as the API shows it: DncList."""
        return {
            "id": self.id,
            "name": self.name,
            "dateCreated": to_iso(self.created_ms),
            "dateModified": to_iso(self.changed_ms),
            "version": self.version,
            "size": len(self.numbers),
            "dncSourceType": "rds",
            "contactMethod": self.contact_method,
            "selfUri": f"{LISTS}/{self.id}",
        }

    def _touch(self) -> None:
        self.version += 1
        self.changed_ms = now_ms()


class DncBook:
    """The lists, in the order in which they were made, and the exported files."""

    def __init__(self) -> None:
        self._lists: dict[str, DncList] = {}
        self._files: dict[str, str] = {}

    def create(self, body: dict[str, Any]) -> DncList:
        """Make a list; raises ApiError 400 for one without a name or of another source."""
        name, method = body.get("name"), body.get("contactMethod", "Phone")
        if not isinstance(name, str) or not name.strip():
            raise ApiError(400, "bad.request", "A DNC list has a name.")
        if body.get("dncSourceType", "rds") != "rds" or method not in ("Phone", "Any"):
            raise ApiError(400, "bad.request", "Only internal lists of phone numbers are served.")
        made = DncList(str(uuid.uuid4()), name, method, now_ms(), now_ms())
        self._lists[made.id] = made
        return made

    def all(self, name: str | None = None) -> list[DncList]:
        """Return every list, or those whose name contains a text."""
        lowered = (name or "").lower()
        return [each for each in self._lists.values() if lowered in each.name.lower()]

    def get(self, list_id: str) -> DncList:
        """Return a list; raises ApiError 404."""
        if (found := self._lists.get(list_id)) is None:
            raise ApiError(404, "not.found", f"There is no DNC list {list_id}.")
        return found

    def export(self, exported: DncList) -> None:
        """Write a list to a file as it is now."""
        exported.exported, exported.exported_ms = str(uuid.uuid4()), now_ms()
        self._files[exported.exported] = exported.as_csv()

    def file(self, download_id: str) -> str:
        """Return an exported file; raises ApiError 404."""
        if (text := self._files.get(download_id)) is None:
            raise ApiError(404, "not.found", f"There is no download {download_id}.")
        return text
