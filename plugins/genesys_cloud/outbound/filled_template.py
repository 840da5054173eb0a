"""An approved template with the values of one recipient: what a message is where no text may go.

Genesys Cloud keeps the words of an approved template in a response and puts the values in, so the
ledger keeps the response's id and the values, in one form that compares byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SECTIONS: Final = ("body", "header", "button_url")
"""The parts of a template that take values."""


@dataclass(frozen=True, kw_only=True)
class FilledTemplate:
    """A response of Genesys Cloud and its values, by substitution id in each section."""

    response_id: str
    body: Mapping[str, str] = field(repr=False)
    header: Mapping[str, str] = field(repr=False)
    button_url: Mapping[str, str] = field(repr=False)

    def as_text(self) -> str:
        """Return it as canonical JSON: keys in order, no spaces."""
        fields = {"response_id": self.response_id, **self.sections()}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def sections(self) -> dict[str, dict[str, str]]:
        """Return the values by section and substitution id."""
        return {name: dict(getattr(self, name)) for name in SECTIONS}

    @classmethod
    def parse(cls, text: str) -> FilledTemplate:
        """Return what `as_text` wrote; raises ValueError, without the text, for anything else."""
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("the text is not the JSON of a filled template") from None
        if not isinstance(fields, dict) or set(fields) != {"response_id", *SECTIONS}:
            raise ValueError("the text is not a filled template: it has other fields")
        response_id = fields.pop("response_id")
        if not isinstance(response_id, str) or not response_id:
            raise ValueError("the filled template names no response")
        if not all(map(_holds_texts, fields.values())):
            raise ValueError("a section of the filled template does not map ids to texts")
        return cls(response_id=response_id, **fields)


def _holds_texts(section: object) -> bool:
    return isinstance(section, dict) and all(isinstance(value, str) for value in section.values())
