"""What a person is shown before a run sends anything: a document of numbers, with nobody's data.

Rows are named and addresses masked; rendered texts are kept apart (preview_tally.Sample).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.estimated_finish import Finish
from genesys_cloud.outbound.prices import Bill, BillLine

COMPARED = (
    "audience", "channel", "sender", "default_language", "messages_per_minute",
    "segments_per_second", "not_before", "deadline", "purpose", "consent_from", "message_class",
    "recipient_cap", "recipient_cap_days", "most_messages", "hold_out_share", "max_segments",
    "use_active_conversation",
)  # fmt: skip
"""The fields of a campaign that decide who gets what, and when."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Characters that together turn so many texts into UCS-2, and the segments this costs."""

    characters: str
    messages: int
    segments: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that differs from the last run: a setting, or a count."""

    name: str
    before: str | int | None
    now: str | int | None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs from the campaign's last run, which was planned at `since`.

    `new` and `gone` count the recipients of the one and not the other occurrence, None where
    nobody has counted. `cost` is the last run's, in `currency`.
    """

    since: datetime
    occurrence: str
    settings: tuple[Change, ...]
    counts: tuple[Change, ...]
    cost: Decimal
    currency: str
    new: int | None = None
    gone: int | None = None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A plan in numbers; of the `recipients` so many are `planned` or `blocked`, by reason.

    Of the planned so many are `held`, until `opens_at` at the earliest; `to_send` is what is left
    to this run. `examples` are the first rows of each reason. `assumed` is that Genesys Cloud could
    not be asked for the profile. `audience_digest` is the contact list's SHA-256.
    A dry run has those who are `left_over` from an earlier list in no other number.
    """

    campaign_id: str
    occurrence: str
    created_at: datetime
    dry_run: bool
    is_test: bool
    profile: str
    assumed: bool
    template: str
    template_version: str
    audience_digest: str | None
    settings: Mapping[str, str | int | float | bool | None]
    recipients: int
    planned: int
    held: int
    opens_at: datetime | None
    to_send: int
    segments: int
    blocked: Mapping[str, int]
    examples: Mapping[str, tuple[str, ...]]
    languages: Mapping[str, int]
    bill: Bill
    finish: Finish
    advice: tuple[Advice, ...]
    difference: Difference | None = None
    left_over: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the document as JSON keeps it: money and instants as text."""
        plain: dict[str, Any] = _plain(self)
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the preview that `as_json` wrote."""
        bill, finish, since = document["bill"], document["finish"], document["difference"]
        return cls(**{
            **document,
            "created_at": datetime.fromisoformat(document["created_at"]),
            "opens_at": _instant(document["opens_at"]),
            "examples": {code: tuple(shown) for code, shown in document["examples"].items()},
            "bill": Bill(**{**bill, "lines": tuple(map(_line, bill["lines"]))}),
            "finish": Finish(**{
                **finish,
                **{name: _instant(finish[name]) for name in ("starts_at", "at", "deadline")},
            }),
            "advice": tuple(Advice(**each) for each in document["advice"]),
            "difference": None if since is None else _difference(since),
        })  # fmt: skip


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts from the largest to the smallest, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def settings_of(campaign: Campaign) -> dict[str, str | int | float | bool | None]:
    """Return the settings of a campaign that a preview shows and compares."""
    return {name: _plain(getattr(campaign, name)) for name in COMPARED}


def compare(
    now: Preview, before: Preview, *, new: int | None = None, gone: int | None = None
) -> Difference:
    """Return what differs from the last run's preview; only what is not the same is named."""
    return Difference(
        since=before.created_at,
        occurrence=before.occurrence,
        settings=_changes(_named(before), _named(now)),
        counts=_changes(_counted(before), _counted(now), missing=0),
        cost=before.bill.total,
        currency=before.bill.currency,
        new=new,
        gone=gone,
    )


def _named(preview: Preview) -> Mapping[str, Any]:
    return {
        "template": preview.template,
        "template_version": preview.template_version,
        "audience_digest": preview.audience_digest,
        "profile": preview.profile,
        **{name: None if value is None else str(value) for name, value in preview.settings.items()},
    }


def _counted(preview: Preview) -> Mapping[str, int]:
    return {
        "recipients": preview.recipients,
        "ready to send": preview.planned,
        "held by quiet hours": preview.held,
        "blocked": sum(preview.blocked.values()),
        **{f"blocked: {code}": count for code, count in preview.blocked.items()},
        **{f"language {tag}": count for tag, count in preview.languages.items()},
        "SMS segments": preview.segments,
    }


def _changes(
    before: Mapping[str, Any], now: Mapping[str, Any], *, missing: int | None = None
) -> tuple[Change, ...]:
    found = (
        Change(name=name, before=before.get(name, missing), now=now.get(name, missing))
        for name in dict.fromkeys((*now, *before))
    )
    return tuple(each for each in found if each.before != each.now)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _line(line: Mapping[str, Any]) -> BillLine:
    price = line["price"]
    return BillLine(**{**line, "price": None if price is None else Decimal(price)})


def _difference(since: Mapping[str, Any]) -> Difference:
    return Difference(**{
        **since,
        "since": datetime.fromisoformat(since["since"]),
        "settings": tuple(Change(**each) for each in since["settings"]),
        "counts": tuple(Change(**each) for each in since["counts"]),
        "cost": Decimal(since["cost"]),
    })  # fmt: skip
