"""Segments held against smsutil, which counts by other means: it encodes, and cuts the octets."""

from __future__ import annotations

import random

import smsutil

from genesys_cloud.outbound.segments import GSM_BASIC, GSM_EXTENDED, count

TEXTS = 100_000
PLAIN, DEAR = "".join(sorted(GSM_BASIC)), "".join(sorted(GSM_EXTENDED))
ALPHABETS = (
    "ab ",
    "a" * 20 + DEAR,  # an escape where a segment ends
    PLAIN,
    PLAIN + DEAR,
    "a" * 200 + "çÿ’",
    "😀a",
    "éñ中😀\u0301\u200d",
)


def texts() -> list[str]:
    """Random texts, the same in each run, most of them near an end of a segment."""
    chance = random.Random(20_261_123)
    ends = (66, 67, 68, 70, 71, 134, 153, 154, 160, 161, 306, 307)
    lengths = [chance.choice(ends) + chance.randrange(-2, 3) for _ in range(TEXTS)]
    return ["".join(chance.choices(chance.choice(ALPHABETS), k=length)) for length in lengths]


def test_a_hundred_thousand_texts_take_what_smsutil_says() -> None:
    different = [
        text
        for text in texts()
        if (count(text).segments, count(text).encoding == "GSM-7")
        != (len(smsutil.split(text).parts), smsutil.is_valid_gsm(text))
    ]
    assert different == []
