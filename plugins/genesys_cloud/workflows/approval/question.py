"""What a person reads who is asked to approve a campaign: numbers and links, nobody's data.

Airflow keeps it in its own database and shows it as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from genesys_cloud.outbound.plan_digest import SHOWN

PREVIEW_TAB = "plugin/genesys-preview"


def question_text(
    planned: Mapping[str, Any],
    params: Mapping[str, Any],
    *,
    started_by: str,
    not_by: str | None,
    until: datetime,
    page: str,
) -> str:
    """Return the question's text, in Markdown.

    `not_by` is who may not say yes, None where anybody may; after `until` nobody can. `page` is the
    address of the run's preview.
    """
    return "\n".join(
        [
            *_opening(planned, params),
            "",
            f"[Preview: the texts, the first who are blocked, and why]({page})",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in _figures(planned)),
            f"| plan | {shown_digest(planned['plan_digest'])} |",
            f"| started by | {_code(started_by)} |",
            f"| without an answer by | {until:%Y-%m-%d %H:%M} UTC, nothing is sent |",
            "",
            *_remarks(planned.get("preview") or {}),
            "A contact list or template that is changed before it is approved voids the answer.",
            *([f"Somebody other than {_code(not_by)} has to approve."] if not_by else []),
            # Airflow shows a run's first text again, whenever the run asks.
            "If it is asked again, this text stays as it is, and there are "
            f"{params['approval_hours']:g} hours anew to answer.",
        ]
    )


def shown_digest(plan_digest: str) -> str:
    """Return how the text names a plan."""
    return f"`{plan_digest[:SHOWN]}`"


def preview_page(dag_id: str, run_id: str, base_url: str) -> str:
    """Return the address of a run's preview, as Airflow's own pages name it."""
    path = urlsplit(base_url).path.rstrip("/")
    return f"{path}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}/{PREVIEW_TAB}"


def _opening(planned: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"**{planned['to_send']:,}** messages will be sent on {_code(params['channel'])} from "
        f"{_code(params['sender'])} with template {_code(params['template'])} "
        f"(profile {planned['profile']})."
    )
    if params["use_active_conversation"]:
        yield (
            "They go into conversations that people are having: a bot takes them for the "
            "customer's own words."
        )


def _figures(planned: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    counts, preview = planned["counts"], planned.get("preview") or {}
    left_over = planned.get("left_over", 0)
    settled = counts["planned"] + left_over - planned["to_send"]
    yield "recipients in the audience", f"{counts['recipients']:,}"
    if settled > 0:
        yield "settled by an earlier run", f"{settled:,}"
    if left_over:
        yield "left over from an earlier list, with its text", f"{left_over:,}"
    if counts["held"]:
        yield f"held by quiet hours, from {counts['opens_at']} on", f"{counts['held']:,}"
    for name in ("blocked", "languages"):
        if counts[name]:
            yield name, ", ".join(f"{_code(what)} {many:,}" for what, many in counts[name].items())
    if counts["segments"]:
        yield "SMS segments", f"{counts['segments']:,}"
    yield from ((name, preview[name]) for name in ("cost", "finish") if name in preview)
    if warnings := planned.get("lint", {}).get("warning"):
        yield "warnings about the template, in the log of **plan**", warnings


def _remarks(preview: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the preview warns of, what has changed since the last run, and its advice."""
    for name in ("warnings", "difference", "advice"):
        lines = preview.get(name, [])
        yield from (f"- {line}" for line in lines)
        if lines:
            yield ""


def _code(value: object) -> str:
    """Return a value as code, which Markdown leaves as it is, inside a table too."""
    plain = "".join(one if one.isprintable() and one not in "`|" else " " for one in str(value))
    return f"`{plain.strip() or ' '}`"
