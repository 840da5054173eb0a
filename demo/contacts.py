"""Write the contact lists of the demo: fictional people, with the mistakes that real lists have.

Every number is reserved for fiction and valid to phonenumbers: NANPA 555-0100 to 555-0199, Arcep's
01 99 00, 02 61 91, 03 53 01, 04 65 71 and 05 36 49, Ofcom's drama numbers, Bundesnetzagentur's
Drama Numbers (Mitteilung 148/2021). The same seed writes the same bytes.

    python -m demo.contacts
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

AUDIENCES = Path(__file__).resolve().parents[1] / "include" / "audiences"

COLUMNS: Final = (
    *("recipient_id", "address", "consent", "language", "timezone", "consent_at"),
    *("consent_source", "name", "date", "orderId"),
)

SEED: Final = 20240201

FIRST_DAY: Final = date(2027, 1, 11)
"""The first appointment; the others follow within thirty days."""


@dataclass(frozen=True, kw_only=True)
class Market:
    """Where people live: prefixes of `width` free digits, languages (blank: by country), names."""

    share: int
    prefixes: Sequence[tuple[str, str]]
    width: int
    languages: Sequence[str]
    given: Sequence[str]
    family: Sequence[str]


def _nanp(zones: Mapping[str, str]) -> list[tuple[str, str]]:
    codes = [(code, zone) for zone, words in zones.items() for code in words.split()]
    return [(f"+1{code}55501", zone) for code, zone in codes]


UNITED_STATES = Market(
    share=46,
    prefixes=_nanp(
        {
            "America/New_York": "201 202 203 212 215 239 301 302 305 321 404 407 410 412 413 415 "
            "508 516 518 540 607 610 617 646 703 704 716 718 757 770 786 803 804 813 843 860 904",
            "America/Chicago": "205 214 217 225 251 262 281 309 312 314 316 318 319 402 405 409 414"
            " 501 504 507 512 515 563 573 601 608 612 615 630 651 701 708 713 773 806 816 901 918",
            "America/Denver": "303 307 385 406 505 575 719 720 801 970",
            "America/Phoenix": "480 520 602 623 928",
            "America/Los_Angeles": "206 209 213 310 323 360 408 424 503 509 510 530 559 619 626 650"
            " 661 702 714 760 775 805 818 831 858 909 916 925 949 951 971",
        }
    ),
    width=2,
    languages=("", "", "en", "en", "en-US", "es", "es-US", "es-MX", "es_MX"),
    given=("Alex", "Maria", "James", "Sofía", "Olivia", "Diego", "Aaliyah", "Wei", "José", "Grace"),
    family=("Johnson", "García", "Smith", "Martínez", "Nguyen", "Brown", "López", "Davis", "Kim"),
)
CANADA = Market(
    share=6,
    prefixes=_nanp({"America/Toronto": "418 438 450 514 579 581 613 647 819 873"}),
    width=2,
    languages=("fr-CA", "fr-CA", "fr-CA", ""),
    given=("Chloé", "Liam", "Émilie", "Mathieu", "Noémie", "Olivier", "Maude", "Étienne"),
    family=("Tremblay", "Gagnon", "Roy", "Côté", "Bouchard", "Gauthier", "Morin", "Lavoie"),
)
FRANCE = Market(
    share=18,
    prefixes=[
        (prefix, "Europe/Paris")
        for prefix in ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
    ],
    width=4,
    languages=("", "", "fr", "fr-FR", "en-GB"),
    given=("Camille", "Lucas", "Zoé", "Hélène", "Théo", "Inès", "François", "Anaïs", "Jules"),
    family=("Martin", "Bernard", "Lefèvre", "Moreau", "Girard", "Rousseau", "Lambert", "Noël"),
)
BRITAIN = Market(
    share=14,
    prefixes=[
        (prefix, "Europe/London")
        for prefix in (
            *("+442079460", "+441134960", "+441144960", "+441164960", "+441174960", "+441184960"),
            *("+441214960", "+441314960", "+441414960", "+441514960", "+441614960"),
        )
    ],
    width=3,
    languages=("", "", "en", "en-GB"),
    given=("Amelia", "Oliver", "Isla", "Mohammed", "Freya", "George", "Niamh", "Priya", "Rhys"),
    family=("Taylor", "Evans", "Patel", "O'Connor", "Walker", "Hughes", "Khan", "MacDonald"),
)
GERMANY = Market(
    share=16,
    prefixes=[
        (prefix, "Europe/Berlin")
        for prefix in ("+493023125", "+496990009", "+494066969", "+492214710", "+498999998")
    ],
    width=3,
    languages=("", "", "de", "de-DE", "de-AT", "en"),
    given=("Lena", "Jürgen", "Anna", "Sören", "Mia", "Björn", "Ayşe", "Lukas", "Käthe"),
    family=("Müller", "Schäfer", "Weiß", "Yılmaz", "Krüger", "Becker", "Hoffmann", "Jäger"),
)
MARKETS: Final = (UNITED_STATES, CANADA, FRANCE, BRITAIN, GERMANY)

ODD_NAMES: Final = (
    *("{{ 7*7 }}", "O'Brien; DROP TABLE messages", "=cmd()", "$& ${name} %s", "Zoë 🎉🦄", "נועה"),
    *("محمد", 'Anne "Annie" Lee', "Smith, John", "<b>Bob</b>", "李小龙", "{% raw %}", "Nul\\0"),
)
"""Values that look like an attack or a mistake and are somebody's name."""

Person = dict[str, str]
Spoil = Callable[[Person, random.Random, Sequence[Person]], None]


def _put(column: str, *values: str) -> Spoil:
    def spoil(person: Person, rng: random.Random, _: Sequence[Person]) -> None:
        person[column] = rng.choice(values)

    return spoil


def _prefix(word: str) -> Spoil:
    def spoil(person: Person, _: random.Random, __: Sequence[Person]) -> None:
        person["address"] = word + person["address"]

    return spoil


def _repeat(person: Person, rng: random.Random, earlier: Sequence[Person]) -> None:
    plain = rng.choice([other["address"] for other in earlier if other["address"][1:].isdigit()])
    person["address"] = f"{plain[:3]} ({plain[3:6]}) {plain[6:9]}-{plain[9:]}"


def _example_number(person: Person, rng: random.Random, _: Sequence[Person]) -> None:
    person["address"] = f"+1555{rng.randrange(10_000_000):07d}"


def _several(*spoils: Spoil) -> Spoil:
    def spoil(person: Person, rng: random.Random, earlier: Sequence[Person]) -> None:
        for one in spoils:
            one(person, rng, earlier)

    return spoil


SPOILS: Final[Mapping[str, tuple[int, Spoil]]] = {
    "no consent": (60, _put("consent", "false", "FALSE", "no", "0")),
    "consent missing": (26, _put("consent", "")),
    "address repeated": (44, _repeat),
    "number invalid": (14, _put("address", "+4912", "+12021234567890", "+331234", "+999123456789")),
    "number of an example": (14, _example_number),
    "number without country": (12, _put("address", "(202) 555-0123", "0049 30 23125000", "555")),
    "number toll-free": (10, _put("address", "+1 800 555 0123", "+18885550199", "+448081570123")),
    "address in words": (10, _put("address", "unknown", "call reception", "+1202JENNY", "n/a")),
    "address missing": (6, _put("address", "", " ")),
    "address of Facebook": (8, _prefix("facebook:")),
    "address of WhatsApp": (8, _prefix("whatsapp:")),
    "name missing": (18, _put("name", "", "   ")),
    "name too long for SMS": (8, _put("name", "Maria " * 30)),
    "date missing": (8, _put("date", "")),
    "date in words": (10, _put("date", "tomorrow", "02/30/2027", "2027-02-30", "31.01.2027")),
    "order missing": (8, _put("orderId", "")),
    "several at once": (
        6,
        _several(_put("consent", "false"), _put("name", ""), _put("address", "+18005550123")),
    ),
    "bytes of Windows-1252": (7, _put("name", "\udcc4gnes", "Fran\udce7ois", "M\udcfcller")),
    "cells too many": (7, _put("extra", "a comma, unquoted")),
}
"""What is wrong with how many of 5,000 rows, 5.7 percent together."""


def write_contacts(
    path: Path,
    recipients: int = 5000,
    seed: int = SEED,
    *,
    columns: Sequence[str] = COLUMNS,
    spoils: Mapping[str, int] | None = None,
) -> None:
    """Write a contact list as CSV.

    `spoils` says how many rows have which mistake, by the names in SPOILS; None scales the usual
    mixture to the number of recipients.
    """
    rng = random.Random(seed)  # noqa: S311 - fiction that can be written again, not a secret
    people = list(_people(rng, recipients))
    for number in rng.sample(range(recipients), recipients // 100):
        people[number]["name"] = rng.choice(ODD_NAMES)
    counts = spoils or {name: n * recipients // 5000 for name, (n, _) in SPOILS.items()}
    _spoil(people, counts, rng)
    lines = [",".join(columns) + "\r\n", *(_line(person, columns) for person in people)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(lines).encode("utf-8", "surrogateescape"))


def _people(rng: random.Random, recipients: int) -> Iterator[Person]:
    pools = [_numbers(market, rng) for market in MARKETS]
    shares = [market.share for market in MARKETS]
    for number in range(1, recipients + 1):
        index = rng.choices(range(len(MARKETS)), shares)[0]
        # France has numbers for tens of thousands where another market runs out.
        address, zone = next(pools[index], None) or next(pools[MARKETS.index(FRANCE)])
        yield _person(number, MARKETS[index], address, zone, rng)


def _numbers(market: Market, rng: random.Random) -> Iterator[tuple[str, str]]:
    free = 10**market.width
    for number in rng.sample(range(free * len(market.prefixes)), free * len(market.prefixes)):
        prefix, zone = market.prefixes[number // free]
        yield f"{prefix}{number % free:0{market.width}d}", zone


def _person(number: int, market: Market, address: str, zone: str, rng: random.Random) -> Person:
    consented = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(60_000_000))
    return {
        "recipient_id": f"c-{number:05d}",
        "address": address,
        "consent": rng.choice(("true", "true", "true", "true", "TRUE", "True")),
        "language": rng.choice(market.languages),
        "timezone": zone if rng.random() < 0.9 else "",
        "consent_at": consented.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "consent_source": rng.choice(("web_form", "checkout", "phone", "branch")),
        "name": f"{rng.choice(market.given)} {rng.choice(market.family)}",
        "date": (FIRST_DAY + timedelta(days=rng.randrange(30))).isoformat(),
        "orderId": f"ORD-{rng.randrange(10_000, 100_000)}",
    }


def _spoil(people: Sequence[Person], counts: Mapping[str, int], rng: random.Random) -> None:
    # The first rows stay good, so that a repeated address has one to repeat.
    chosen = iter(rng.sample(range(min(10, len(people)), len(people)), sum(counts.values())))
    for name, count in counts.items():
        for _ in range(count):
            number = next(chosen)
            SPOILS[name][1](people[number], rng, people[: min(10, number)])


def _line(person: Person, columns: Sequence[str]) -> str:
    cells = [person[column] for column in columns]
    buffer = io.StringIO()
    csv.writer(buffer).writerow([*cells, *([person["extra"]] if "extra" in person else [])])
    return buffer.getvalue()


def main() -> None:
    """Write the lists that ship."""
    write_contacts(AUDIENCES / "demo_contacts.csv")
    write_contacts(
        AUDIENCES / "appointments.csv",
        40,
        SEED + 1,
        columns=[column for column in COLUMNS if column != "orderId"],
        spoils={"no consent": 1, "address repeated": 1, "date in words": 1},
    )
    write_contacts(
        AUDIENCES / "orders.csv",
        40,
        SEED + 2,
        columns=[column for column in COLUMNS if column != "date"],
        spoils={"consent missing": 1, "number of an example": 1, "order missing": 1},
    )


if __name__ == "__main__":
    main()
