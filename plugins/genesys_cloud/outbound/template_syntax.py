"""What a template's source tells: calls that can't be meant, plurals, what every text needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from jinja2 import TemplateSyntaxError, nodes

from genesys_cloud.outbound.messages import storable
from genesys_cloud.outbound.plurals import CATEGORIES, OTHER
from genesys_cloud.outbound.template_functions import ABORT, FUNCTIONS

REASON_LIMIT: Final = 200
"""The longest reason of an abort in characters."""

DEFAULTS: Final = frozenset({"d", "default"})
"""Filters that a missing value is given to on purpose."""


def check_functions(tree: nodes.Template) -> None:
    """Raise TemplateSyntaxError where a function of ours is misused.

    The reason of an abort is a text in quotes: what every row says is counted and logged, so it is
    not made of a recipient's data.
    """
    calls = [call for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Name)]
    called = {id(call.node) for call in calls}
    for name in tree.find_all(nodes.Name):
        if name.name in FUNCTIONS and id(name) not in called:
            raise TemplateSyntaxError(
                f"{name.name} is a function here and no value: write {name.name}(...)", name.lineno
            )
    for call in calls:
        if _is_abort(call):
            _check_abort(call)
    for each in tree.find_all(nodes.Filter):
        if any(map(_is_abort, _arguments(each))):
            raise TemplateSyntaxError(
                f"an abort within {each.name}(...) would refuse everybody: write "
                '{{ name or abort("...") }}',
                each.lineno,
            )


def check_plurals(tree: nodes.Template) -> None:
    """Raise TemplateSyntaxError where a plural has no `other`, or a form that no language has."""
    for each in _plurals(tree):
        forms = _forms(each)
        if each.args or each.dyn_args or each.dyn_kwargs or forms - set(CATEGORIES):
            raise TemplateSyntaxError(
                f"plural takes forms by name, of {', '.join(CATEGORIES)}: write "
                'plural(one="item", other="items")',
                each.lineno,
            )
        if OTHER not in forms:
            raise TemplateSyntaxError(
                "plural needs other=..., the form that every language has", each.lineno
            )


def plural_forms(tree: nodes.Template) -> tuple[frozenset[str], ...]:
    """Return the forms that each plural of a template gives."""
    return tuple(map(_forms, _plurals(tree)))


def needed(tree: nodes.Template) -> frozenset[str]:
    """Return the names without whose value no text can be made, whatever the other values are.

    What stands in a condition or a loop, or has a default, is left out, though a row may need it.
    """
    written = (
        expression
        for node in tree.body
        if isinstance(node, nodes.Output)
        for expression in node.nodes
    )
    return frozenset(name for expression in written for name in _written(expression))


def _written(expression: nodes.Node) -> Iterator[str]:
    if isinstance(expression, nodes.Name):
        yield expression.name
    elif isinstance(expression, nodes.Filter) and expression.name not in DEFAULTS:
        yield from _written(expression.node or nodes.Const(""))
    elif isinstance(expression, nodes.Concat):
        for part in expression.nodes:
            yield from _written(part)


def _plurals(tree: nodes.Template) -> Iterator[nodes.Filter]:
    return (each for each in tree.find_all(nodes.Filter) if each.name == "plural")


def _forms(each: nodes.Filter) -> frozenset[str]:
    return frozenset(str(keyword.key) for keyword in each.kwargs)


def _arguments(each: nodes.Filter) -> Iterator[nodes.Node]:
    """Yield all that stands within the brackets of a filter."""
    for argument in (*each.args, *(keyword.value for keyword in each.kwargs)):
        yield argument
        yield from argument.find_all(nodes.Call)


def _is_abort(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name == ABORT
    )


def _check_abort(call: nodes.Call) -> None:
    only = call.args[0] if len(call.args) == 1 else None
    reason = only.value if isinstance(only, nodes.Const) else None
    extra = call.kwargs or call.dyn_args or call.dyn_kwargs
    if extra or not isinstance(reason, str) or not storable(reason, most=REASON_LIMIT).strip():
        raise TemplateSyntaxError(
            'abort takes its reason as a text in quotes, such as abort("no shop in this town"); a '
            "reason has no personal data, for it is counted and logged",
            call.lineno,
        )
    if len(reason) > REASON_LIMIT:
        raise TemplateSyntaxError(
            f"the reason of an abort is longer than {REASON_LIMIT} characters", call.lineno
        )
