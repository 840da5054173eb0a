"""A policy of quiet hours for tests: marketing to the United States, by the recipient's clock."""

from __future__ import annotations


def policy(opens: str = "08:00", closes: str = "21:00") -> str:
    """Return the policy's file, with one window that is open on every day."""
    return f"""
dated = 2026-11-23

[[rules]]
country = "US"
classes = ["marketing"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
opens = "{opens}"
closes = "{closes}"
source = "test"
"""
