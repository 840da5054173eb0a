"""The functions that a template may call: `range`, and `abort`, which refuses the recipient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NoReturn

from jinja2.exceptions import SecurityError

LOOP_LIMIT: Final = 1_000
"""The longest range."""

ABORT: Final = "abort"


class Aborted(Exception):  # noqa: N818 - a refusal of one recipient, not an error of the campaign
    """The template refuses this recipient; the message is its reason."""


def _abort(reason: str) -> NoReturn:
    raise Aborted(reason)


def _short_range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > LOOP_LIMIT:
        raise SecurityError(f"range is longer than {LOOP_LIMIT}")
    return numbers


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {ABORT: _abort, "range": _short_range}
)
