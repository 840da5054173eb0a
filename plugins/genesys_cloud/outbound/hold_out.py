"""The hold-out group: recipients who get nothing, so that a campaign's effect can be measured.

Who is in it is decided by a digest, so it is the same at every planning and on every machine, other
people in every campaign, and a larger share holds everybody whom a smaller one held.
"""

from __future__ import annotations

import hashlib

from genesys_cloud.outbound.violations import Violation

HELD_OUT = "held_out"

_SALT = "hold-out"
_STEPS = 2**64


def place_of(campaign_id: str, address: str) -> float:
    """Return a recipient's place in a campaign, from 0 up to and not including 1."""
    text = "\x1f".join((_SALT, campaign_id, address))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    # Without the last bits, which a float can't hold, or it could round up to 1.
    return (int.from_bytes(digest) >> 11 << 11) / _STEPS


def check_hold_out(campaign_id: str, address: str, share: float) -> list[Violation]:
    """Return the violation of a recipient who is among the `share` (0 to 1) that is held out."""
    if not share or place_of(campaign_id, address) >= share:
        return []
    message = f"The recipient is in the hold-out group of {share:.2%}, which gets nothing."
    return [Violation(code=HELD_OUT, message=message)]
