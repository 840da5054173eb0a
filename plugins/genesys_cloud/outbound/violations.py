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

    @classmethod
    def because(cls, code: str, message: str) -> Refused:
        """Return the refusal for one reason."""
        return cls(Violation(code=code, message=message))


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
        "consent_time_invalid": "consent_at is in the future, or a time of the consent unreadable",
        "consent_expired": "the consent has ended, in the list or on record",
        "consent_other_purpose": "the consent is for another purpose than the campaign's",
        "consent_not_on_record": "the campaign asks the ledger for consent, and it has none",
        "consent_withdrawn": "the person has withdrawn the consent",
        # the text
        "missing_variable": "the row has no value for a variable, or a template's value is blank",
        "invalid_value": "a value that its filter can't read, such as a date that is none",
        "template_aborted": "the template refuses the recipient, with a reason of its own",
        "template_refused": "the template can't be rendered for this row, or may not be",
        "text_empty": "the rendered text is blank",
        "text_too_long": "the rendered text is over the channel's limit",
        "too_many_segments": "an SMS of more segments than Genesys Cloud or the campaign takes",
        "template_not_approved": "a text of one's own where only approved templates may go",
        "parameter_too_long": "a value of the approved template is over the limit of such values",
        # quiet hours
        "timezone_unknown": "quiet hours hold, and nobody knows where the recipient's clock is",
        # who gets it
        "suppressed": "the address is on the suppression list",
        "capped": "the address has had its share of all campaigns' messages",
        "campaign_cap": "enough others get this campaign",
        "held_out": "the recipient is in the hold-out group, whom nothing is sent",
        # the campaign
        "channel_unsupported": "the profile does not send on this channel",
        "sender_missing": "no sender is given",
        "sender_form": "the sender is not in the form that the channel asks for",
        "recipient_missing": "no recipient is given",
    }
)
"""Every code that planning can give, and what it means."""
