"""Why a recipient gets no message: a code that reports count, and a sentence that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One rule that a message breaks; codes and what they mean are in PROBLEMS."""

    code: str
    message: str


class Refused(Exception):  # noqa: N818 - a refusal of one recipient, not an error of the campaign
    """One recipient's text can't be made; `violations` say why."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(violation.message for violation in violations))
        self.violations = violations


PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        # the row
        "row_not_text": "bytes that are not UTF-8, or a NUL; save the list as UTF-8",
        "row_malformed": "more cells than the header has, or a cell that is no plain value",
        "cell_too_long": "a cell over 10,000 characters",
        "recipient_id_too_long": "a recipient_id over 200 characters",
        # the address
        "address_missing": "the address cell is blank",
        "address_not_e164": "not + and digits; write the number in E.164, such as +12025550123",
        "address_malformed": "an id with characters or a length that no provider uses",
        "address_channel_mismatch": "the address carries another channel's prefix",
        "number_invalid": "no numbering plan has this number",
        "number_not_textable": "toll-free, premium rate and their like receive no messages",
        "duplicate_address": "an earlier row of the list has the same address",
        # consent
        "consent_not_verified": "the consent cell is not true",
        # the text
        "missing_variable": "the template uses a variable for which the row has no value",
        "invalid_value": "a value that its filter can't read, such as a date that is none",
        "template_refused": "the template can't be rendered for this row, or may not be",
        "text_empty": "the rendered text is blank",
        "text_too_long": "the rendered text is over the channel's limit",
        # the campaign
        "channel_unsupported": "the profile does not send on this channel",
        "sender_missing": "no sender is given",
        "sender_form": "the sender is not in the form that the channel asks for",
        "recipient_missing": "no recipient is given",
    }
)
"""Every code that the planning of a row can give, and what it means."""
