"""An approved template as Genesys Cloud has it, held against the file that fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genesys_cloud.outbound.approved_text import ApprovedText
from genesys_cloud.outbound.languages import normalise_tag

MESSAGING_TEMPLATE: Final = "MessagingTemplate"
"""The kind of response that can be sent on its own."""

APPROVED: Final = "approved"


@dataclass(frozen=True, kw_only=True)
class ResponseDefinition:
    """A response of Genesys Cloud; `kind` is the platform's word.

    `required` are the ids of the substitutions that have no default, `optional` of those that do:
    one list for all sections. `language` and `status` are WhatsApp's, None where not said.
    """

    response_id: str
    name: str
    kind: str
    required: frozenset[str]
    optional: frozenset[str]
    language: str | None = None
    status: str | None = None


def check_response(
    definition: ResponseDefinition, text: ApprovedText, language: str
) -> tuple[str, ...]:
    """Return, in sentences, why Genesys would refuse what `text` fills in; () where it would not.

    A section is not told from another: Genesys lists a template's substitutions for all at once.
    """
    if definition.kind != MESSAGING_TEMPLATE:
        return (f"It is a response of type {definition.kind}, not {MESSAGING_TEMPLATE}.",)
    found = []
    if definition.status is not None and definition.status.lower() != APPROVED:
        found.append(f"Its status is {definition.status}: WhatsApp has not approved it.")
    if missing := sorted(definition.required - text.bound):
        found.append(f"It needs a value for {_listed(missing)}.")
    if unknown := sorted(text.bound - definition.required - definition.optional):
        found.append(f"It has no substitution {_listed(unknown)}.")
    if definition.language is not None and not _same(definition.language, language):
        found.append(f"Its language is {definition.language}, and the file's is {language}.")
    return tuple(found)


def _same(theirs: str, ours: str) -> bool:
    # en_US and en are one language; which of its regions is read is for the campaign to say.
    return (normalise_tag(theirs) or theirs).split("-")[0] == ours.split("-", maxsplit=1)[0]


def _listed(ids: list[str]) -> str:
    return ", ".join(map(repr, ids))
