"""HTML from a template; everything is escaped, for names in the data are hostile."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from genesys_cloud.reporting import wording

_TEMPLATES = Path(__file__).parent / "templates"
_FILTERS = (
    *(wording.count, wording.duration, wording.share),
    *(wording.interval, wording.instant, wording.long_date),
)


def page(template: str, **values: Any) -> str:
    """Return a page of HTML; a value that the template misses is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {word.__name__: word for word in _FILTERS}
    return environment
