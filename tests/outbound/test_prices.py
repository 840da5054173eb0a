from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.prices import PriceList, Traffic
from genesys_cloud.settings import PROJECT_ROOT

HEAD = 'dated = 2026-11-23\ncurrency = "EUR"\nsource = "Contract 4711"\n'
LIST = PriceList.parse(
    HEAD + "[sms]\ndefault = 0.05\ncountries = { US = 0.0079, GB = 0 }\n"
    "[whatsapp.countries]\nDE = 1\n"
)


def test_an_sms_is_priced_by_its_segments_and_everything_else_by_messages() -> None:
    traffic = [Traffic(country="US", messages=100, segments=130)]
    assert LIST.estimate("messaging:sms", traffic).total == Decimal("1.0270")  # 130 x 0.0079
    german = [Traffic(country="DE", messages=100, segments=0)]
    assert LIST.estimate("messaging:whatsapp", german).total == 100


def test_a_country_without_a_price_has_the_default_and_else_is_named() -> None:
    traffic = [
        Traffic(country="GB", messages=10, segments=10),
        Traffic(country="BR", messages=3, segments=4),
        Traffic(country=None, messages=1, segments=1),
    ]
    bill = LIST.estimate("messaging:sms", traffic)
    assert [line.cost for line in bill.lines] == [0, Decimal("0.20"), Decimal("0.05")]
    assert bill.unpriced == ()
    bill = LIST.estimate("messaging:whatsapp", traffic)
    assert [line.country for line in bill.unpriced] == ["GB", "BR", None]
    assert bill.total == 0


@given(
    price=st.decimals(min_value=0, max_value=10, places=6),
    counts=st.lists(st.integers(min_value=0, max_value=10**7), max_size=5),
)
def test_money_is_exact(price: Decimal, counts: list[int]) -> None:
    priced = PriceList.parse(f"{HEAD}[sms]\ndefault = {price:f}\n")
    traffic = [Traffic(country="US", messages=1, segments=count) for count in counts]
    assert priced.estimate("messaging:sms", traffic).total == price * sum(counts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('currency = "EUR"\nsource = "x"\n', "`dated` is not a date"),
        ('dated = 2026-11-23\ncurrency = "euro"\nsource = "x"\n', "ISO 4217"),
        ('dated = 2026-11-23\ncurrency = "EUR"\nsource = " "\n', "where the prices are from"),
        (f"{HEAD}example = 1\n", "neither true nor false"),
        (f"{HEAD}[sns]\ndefault = 1\n", "nobody knows: sns"),
        (f"{HEAD}[sms]\n", "no section"),
        (f"{HEAD}sms = 1\n", "no section"),
        (f"{HEAD}[sms]\nUS = 1\n", r"\[sms\] holds what nobody knows: US"),
        (f"{HEAD}[sms.countries]\nusa = 1\n", "ISO 3166"),
        (f"{HEAD}[sms]\ncountries = 3\n", "ISO 3166"),
        (f'{HEAD}[sms]\ndefault = "0.05"\n', "no number"),
        (f"{HEAD}[sms]\ndefault = true\n", "no number"),
        (f"{HEAD}[sms]\ndefault = -0.05\n", "not between 0"),
        (f"{HEAD}[sms]\ndefault = nan\n", "not between 0"),
        (f"{HEAD}[sms]\ndefault = inf\n", "not between 0"),
        (f"{HEAD}[sms.countries]\nUS = 1e9\n", "US in .* is not between 0"),
        (f"{HEAD}[sms]\ndefault = 1e-99999999999999999999\n", "not between 0"),
        (f"{HEAD}[sms]\ndefault = 1e-999999\n", "more than 9 decimals"),
        (f"{HEAD}[sms]\ndefault = 0.0000000001\n", "more than 9 decimals"),
    ],
)
def test_what_is_not_clear_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PriceList.parse(text)


def test_the_prices_that_ship_say_that_they_are_examples() -> None:
    path = PROJECT_ROOT / "include" / "policies" / "prices.toml"
    shipped = PriceList.parse(path.read_text(encoding="utf-8"))
    assert shipped.example
    assert shipped.price("sms", "US") == Decimal("0.008")
