"""Prices: what a message costs by channel and country, and what a plan is estimated to cost.

The prices are dated data, in include/policies/prices.toml. Money is decimal; what has no price is
said, and never counted as free.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self

from genesys_cloud.outbound.channels import PROVIDERS

SMS: Final = "sms"
"""The one channel that is charged by the segment."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z")
_MOST: Final = Decimal(1_000_000)
_PLACES: Final = 9


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What goes to one country, an ISO 3166 code or None where an address has none."""

    country: str | None
    messages: int
    segments: int


@dataclass(frozen=True, kw_only=True)
class BillLine:
    """What goes to one country, in the unit that is charged, at a price that may be unknown."""

    country: str | None
    units: int
    price: Decimal | None

    @property
    def cost(self) -> Decimal | None:
        """What that costs."""
        return None if self.price is None else self.price * self.units


@dataclass(frozen=True, kw_only=True)
class Bill:
    """An estimate of cost; `unit` is segment or message, `version` the price list's.

    With `example` the prices are nobody's.
    """

    provider: str
    unit: str
    currency: str
    version: str
    example: bool
    lines: tuple[BillLine, ...]

    @property
    def total(self) -> Decimal:
        """The cost of all that has a price."""
        return sum((line.cost for line in self.lines if line.cost is not None), Decimal(0))

    @property
    def unpriced(self) -> tuple[BillLine, ...]:
        """What has no price, and is not in the total."""
        return tuple(line for line in self.lines if line.price is None)


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """The price of a segment or message by channel and country; country None is the default."""

    version: str
    currency: str
    example: bool
    prices: Mapping[tuple[str, str | None], Decimal]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy; raises ValueError, with a sentence, for what is not perfectly clear."""
        table = tomllib.loads(text, parse_float=_exact)
        dated, currency = table.pop("dated", None), table.pop("currency", None)
        source, example = table.pop("source", None), table.pop("example", False)
        if not isinstance(dated, date) or isinstance(dated, datetime):
            raise ValueError("`dated` is not a date, such as 2026-11-23.")
        if not isinstance(currency, str) or not _CURRENCY.match(currency):
            raise ValueError('`currency` is not a code of ISO 4217, such as "USD".')
        if not isinstance(source, str) or not source.strip():
            raise ValueError("`source` does not say where the prices are from.")
        if not isinstance(example, bool):
            raise ValueError("`example` is neither true nor false.")
        if unknown := sorted(set(table) - PROVIDERS):
            raise ValueError(f"It holds what nobody knows: {', '.join(unknown)}.")
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return cls(
            version=f"{dated}.{digest}",
            currency=currency,
            example=example,
            prices={
                (name, country): price
                for name, section in table.items()
                for country, price in _section(name, section).items()
            },
        )

    def estimate(self, channel: str, traffic: Iterable[Traffic]) -> Bill:
        """Return what traffic on a channel, such as messaging:sms, is estimated to cost."""
        provider = channel.rpartition(":")[2]
        by_segment = provider == SMS
        return Bill(
            provider=provider,
            unit="segment" if by_segment else "message",
            currency=self.currency,
            version=self.version,
            example=self.example,
            lines=tuple(
                BillLine(
                    country=each.country,
                    units=each.segments if by_segment else each.messages,
                    price=self.price(provider, each.country),
                )
                for each in traffic
            ),
        )

    def price(self, provider: str, country: str | None) -> Decimal | None:
        """Return the price of one segment or message, None where the list has none."""
        return self.prices.get((provider, country), self.prices.get((provider, None)))


def _section(name: str, section: Any) -> Mapping[str | None, Decimal]:
    if not isinstance(section, dict) or not section:
        raise ValueError(f"`{name}` is no section with `default` or countries in it.")
    if unknown := sorted(set(section) - {"default", "countries"}):
        raise ValueError(f"[{name}] holds what nobody knows: {', '.join(unknown)}.")
    countries = section.get("countries", {})
    if not isinstance(countries, dict) or not all(map(_COUNTRY.match, countries)):
        raise ValueError(
            f'[{name}.countries] names countries by their ISO 3166 code, such as "US", and nothing '
            "else."
        )
    found: dict[str | None, Decimal] = {
        country: _price(value, f"{country} in [{name}.countries]")
        for country, value in countries.items()
    }
    if "default" in section:
        found[None] = _price(section["default"], f"the default of [{name}]")
    return found


def _price(value: object, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError(f"The price for {where} is no number, such as 0.0079.")
    price = Decimal(value)
    if not price.is_finite() or not 0 <= price <= _MOST:
        raise ValueError(f"The price for {where} is not between 0 and {_MOST:,}.")
    if price != round(price, _PLACES):
        raise ValueError(f"The price for {where} has more than {_PLACES} decimals.")
    return price


def _exact(written: str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:  # an exponent that no machine can hold
        return Decimal("nan")
