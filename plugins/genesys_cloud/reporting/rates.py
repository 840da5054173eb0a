"""Shares of messages in percent, and how sure they are."""

from __future__ import annotations

import math

_Z_95 = 1.959963984540054


def rate(part: int, whole: int) -> str:
    """Return part / whole in percent with two decimals, halves rounded up; of nothing, 0.00%."""
    hundredths = (20_000 * part + whole) // (2 * whole) if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def wilson(part: int, whole: int) -> dict[str, float] | None:
    """Return the 95 % Wilson score interval of part / whole in percent, None where whole is 0.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if not whole:
        return None
    share, z2 = part / whole, _Z_95**2
    centre = share + z2 / (2 * whole)
    margin = _Z_95 * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole**2))
    low, high = ((centre + side * margin) / (1 + z2 / whole) for side in (-1, 1))
    return {"low": round(100 * max(low, 0), 2), "high": round(100 * min(high, 1), 2)}
