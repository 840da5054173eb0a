"""The planning decision: from a row of a contact list to a text to send, or every reason not to.

Duplicates: the first row with a usable address has it, whether that row is sent or blocked, and
every later one is `duplicate_address`. A list that says no in one row and yes in another sends
nothing to that address when the no comes first. A row that can't be read takes no address, for
what stands in its address cell may be another cell's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from genesys_cloud.errors import CampaignDefinitionError, TemplateError
from genesys_cloud.outbound.addresses import Address, parse_address
from genesys_cloud.outbound.audience import Row, readable, text_problem
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.channels import find_channel
from genesys_cloud.outbound.consent import ConsentFrom, normalise_purpose
from genesys_cloud.outbound.hold_out import check_hold_out
from genesys_cloud.outbound.languages import choose_language
from genesys_cloud.outbound.recipients import Recipient, read_recipient
from genesys_cloud.outbound.row_consent import ConsentRule
from genesys_cloud.outbound.seen_addresses import SeenAddresses
from genesys_cloud.outbound.templates import Template
from genesys_cloud.outbound.timing import NO_HOURS, Timekeeper, Timing
from genesys_cloud.outbound.validation import check_text, normalise_sender
from genesys_cloud.outbound.violations import Refused, Violation

SHOWN: Final = 200
"""Characters that are kept of an unusable address, and that a recipient id may have."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of one row.

    `address` is the wire form, or the trimmed raw cell where `address_valid` is false; `text` is
    '' and `violations` are all reasons when blocked; `country` is the number's, None where there
    is none; `language` and `locale` are those of the text; optional cells that are blank are ''.
    `timing` is whether quiet hours hold, and until when.
    """

    row_number: int
    recipient_id: str = field(repr=False)
    address: str = field(repr=False)
    address_valid: bool
    country: str | None
    language: str
    locale: str
    timezone: str
    consent: bool
    consent_proof: str | None = field(repr=False)
    consent_expires_at: datetime | None
    text: str = field(repr=False)
    violations: tuple[Violation, ...]
    timing: Timing = NO_HOURS

    @property
    def blocked(self) -> bool:
        """Whether the recipient gets nothing."""
        return bool(self.violations)


class Planner:
    """Decides rows of one campaign's audience, one after the other; remembers addresses in `seen`.

    `timekeeper` knows the quiet hours, None where nobody has any.
    Raises CampaignDefinitionError for a channel that the profile lacks or a sender in no usable
    form, and TemplateError when the template lacks the default language.
    """

    def __init__(
        self,
        campaign: Campaign,
        template: Template,
        profile: str = "messaging",
        *,
        timekeeper: Timekeeper | None = None,
        now: datetime | None = None,
        seen: SeenAddresses | None = None,
    ) -> None:
        channel = find_channel(campaign.channel, profile)
        if isinstance(channel, Violation):
            raise CampaignDefinitionError(f"Campaign {campaign.campaign_id!r}: {channel.message}")
        self.sender = normalise_sender(campaign.channel, campaign.sender, profile)
        """The sender in its wire form."""
        self._channel = channel
        self._template = template
        self._profile = profile
        self._default = campaign.default_language
        self._languages = template.languages
        self._seen = SeenAddresses() if seen is None else seen
        self._timekeeper = timekeeper if timekeeper and timekeeper.version else None
        self._campaign = campaign
        self._consent = ConsentRule(
            purpose=normalise_purpose(campaign.purpose),
            consent_from=ConsentFrom(campaign.consent_from),
            now=now or datetime.now(UTC),
        )
        self._choose("", None)

    def decide(self, row: Row) -> Decision:
        """Return what becomes of `row`, with all its violations at once."""
        problem = row.problem or text_problem(row.values.values())
        if problem is None:
            parsed = parse_address(self._channel, row.values.get("address", ""), self._profile)
            values = row.values
        else:
            parsed = problem
            values = {name: readable(value) for name, value in row.values.items()}
        address = parsed if isinstance(parsed, Address) else None
        recipient = read_recipient(values, address=address.wire if address else "")
        language, locale = self._choose(recipient.language, address.country if address else None)
        timing = self._time(recipient, address)
        if problem is not None:
            text, violations = "", [problem]
        else:
            text, violations = self._text(recipient, language, locale)
            violations += self._consent.check(recipient)
            violations += self._check_identity(row.number, recipient, parsed)
            violations += [timing] if isinstance(timing, Violation) else []
            violations = violations or self._hold_out(recipient.address)
        proof, expires_at = (None, None) if violations else self._consent.proof(recipient)
        return Decision(
            row_number=row.number,
            recipient_id=recipient.recipient_id[:SHOWN] or f"row{row.number}",
            address=address.wire if address else values.get("address", "").strip()[:SHOWN],
            address_valid=address is not None,
            country=address.country if address else None,
            language=language,
            locale=locale,
            timezone=recipient.timezone[:SHOWN],
            consent=recipient.consent,
            consent_proof=proof,
            consent_expires_at=expires_at,
            text="" if violations else text,
            violations=tuple(violations),
            timing=NO_HOURS if violations or isinstance(timing, Violation) else timing,
        )

    def _time(self, recipient: Recipient, address: Address | None) -> Timing | Violation:
        if self._timekeeper is None or address is None:
            return NO_HOURS
        return self._timekeeper.time(self._channel, recipient, address)

    def _hold_out(self, address: str) -> list[Violation]:
        campaign = self._campaign
        return check_hold_out(campaign.campaign_id, address, campaign.hold_out_share)

    def _choose(self, tag: str, country: str | None) -> tuple[str, str]:
        choice = choose_language(
            tag=tag, country=country, default=self._default, available=self._languages
        )
        if choice is None:
            raise TemplateError(
                f"Template {self._template.name!r} has no text in {self._default!r}, the "
                f"campaign's default language; it has {', '.join(sorted(self._languages))}."
            )
        return choice.language, choice.locale

    def _text(
        self, recipient: Recipient, language: str, locale: str
    ) -> tuple[str, list[Violation]]:
        try:
            text = self._template.render(language, locale, recipient.variables)
        except Refused as refused:
            return "", list(refused.violations)
        return text, list(
            check_text(self._channel, text, self._profile, self._campaign.max_segments)
        )

    def _check_identity(
        self, number: int, recipient: Recipient, parsed: Address | Violation
    ) -> Sequence[Violation]:
        found = []
        if len(recipient.recipient_id) > SHOWN:
            message = f"The recipient_id is over {SHOWN} characters."
            found.append(Violation(code="recipient_id_too_long", message=message))
        if isinstance(parsed, Violation):
            return [*found, parsed]
        first = self._seen.first(parsed.wire, number)
        if first != number:
            message = f"The address repeats row {first}."
            found.append(Violation(code="duplicate_address", message=message))
        return found
