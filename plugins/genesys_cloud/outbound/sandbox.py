"""The sandbox that templates render in: plain text, strict, bounded, and reading no other file.

Templates come from the repository and values from contact lists; neither may run code, and no
template may hold a worker up: loops don't nest, ranges and outputs are bounded, strings multiply
with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from genesys_cloud.outbound.filters import FILTERS
from genesys_cloud.outbound.messages import storable
from genesys_cloud.outbound.template_functions import FUNCTIONS
from genesys_cloud.outbound.template_syntax import check_functions, check_plurals

OUTPUT_LIMIT: Final = 100_000
"""The longest text in characters; above the largest channel limit, 64,000."""

PLAIN_FILTERS: Final = (
    *("abs", "capitalize", "d", "default", "first", "float", "int", "join", "last", "length"),
    *("lower", "round", "title", "trim", "upper"),
)
"""Jinja's own filters that a message needs; none of them makes a long text of a short one."""

STRING_METHODS: Final = frozenset(
    {"capitalize", "endswith", "isdigit", "lower", "split", "startswith", "strip", "title", "upper"}
)

LOOP_ATTRIBUTES: Final = frozenset({"first", "index", "index0", "last", "length"})

REFUSED_NODES: Final[tuple[tuple[type[nodes.Node], str], ...]] = (
    (nodes.Extends, "extends"),
    (nodes.Include, "include"),
    (nodes.Import, "import"),
    (nodes.FromImport, "import"),
    (nodes.Block, "block"),
    (nodes.Macro, "macro"),
    (nodes.CallBlock, "call"),
)
"""What reads other files or repeats itself; a message is one short file."""


class Missing(StrictUndefined):
    """A variable that the row has no value for: testing it is fine, using it is noted."""

    __slots__ = ("_noted",)

    def __init__(self, name: str, noted: list[str]) -> None:
        super().__init__(name=name)
        self._noted = noted

    def __str__(self) -> str:  # type: ignore[override]  # StrictUndefined's never returns
        self._noted.append(str(self._undefined_name))
        return ""

    def __bool__(self) -> bool:  # type: ignore[override]  # StrictUndefined's never returns
        return False

    @property
    def _undefined_message(self) -> str:
        # Jinja reads this when it is about to raise for any other use: in a loop, a comparison.
        self._noted.append(str(self._undefined_name))
        return f"{self._undefined_name!r} is missing"


class Sandbox(ImmutableSandboxedEnvironment):
    """A Jinja environment without loader, with few filters and hardly any attributes."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self.globals = dict(FUNCTIONS)
        plain: dict[str, Callable[..., Any]] = {name: self.filters[name] for name in PLAIN_FILTERS}
        self.filters = {**plain, **FILTERS}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow a few methods of strings and the counters of a loop, nothing else."""
        if isinstance(obj, LoopContext):
            return attr in LOOP_ATTRIBUTES
        return isinstance(obj, str) and attr in STRING_METHODS

    def wrap_str_format(self, value: Any) -> None:
        """Leave str.format to is_safe_attribute, which refuses it: it can pad to any length."""

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiply numbers only: a string times a number can fill the memory."""
        if operator == "**" or not (isinstance(left, Real) and isinstance(right, Real)):
            raise SecurityError(f"operator {operator} is for small numbers only")
        return super().call_binop(context, operator, left, right)

    def checked(self, source: str) -> nodes.Template:
        """Parse `source` and refuse what a message has no use for.

        Raises TemplateSyntaxError with the line.
        """
        tree = self.parse(source)
        for kind, word in REFUSED_NODES:
            for node in tree.find_all(kind):
                raise TemplateSyntaxError(f"{word} is not available in messages", node.lineno)
        for loop in tree.find_all(nodes.For):
            for inner in (n for n in loop.find_all(nodes.For) if n is not loop):
                raise TemplateSyntaxError("loops do not nest in messages", inner.lineno)
            if loop.recursive:
                raise TemplateSyntaxError("loops are not recursive in messages", loop.lineno)
        check_functions(tree)
        check_plurals(tree)
        return tree


def bounded(pieces: Iterable[str]) -> str:
    """Join what a template yields.

    Raises SecurityError as soon as it grows over OUTPUT_LIMIT, and for what no database takes.
    """
    parts: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > OUTPUT_LIMIT:
            raise SecurityError(f"the text is longer than {OUTPUT_LIMIT} characters")
        parts.append(piece)
    text = "".join(parts)
    if storable(text, most=OUTPUT_LIMIT) != text:
        raise SecurityError("the text has a NUL or half of a surrogate pair")
    return text
