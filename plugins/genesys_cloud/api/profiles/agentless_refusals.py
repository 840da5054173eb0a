"""Refusals of the `agentless` profile that have a name and a cure of their own.

Sources: Genesys' help on agentless messages and on WhatsApp errors, whose numbers are Meta's.
"""

from __future__ import annotations

import re

from genesys_cloud.api.failures import Refusal
from genesys_cloud.api.profiles.fields import mapping, text

ACTIVE_CONVERSATION = Refusal(
    code="active_conversation",
    cure=(
        "This person is in a conversation with this sender, and the message was kept out of it. "
        "Send again once that has ended. The campaign option use_active_conversation puts the "
        "message into the conversation instead; a bot that takes part in it then takes the "
        "message for the customer's own words."
    ),
)

META = {
    "132000": Refusal(
        code="template_parameters",
        cure=(
            "The values do not fit the approved template's placeholders: compare the tables of "
            "the template file with the substitutions of the response, and plan again."
        ),
    ),
    "132001": Refusal(
        code="template_missing",
        cure=(
            "WhatsApp has no approved template of that name in that language: check its status "
            "and its language in Genesys Cloud's response library."
        ),
    ),
    "131049": Refusal(
        code="marketing_limit",
        cure=(
            "WhatsApp lets a person have only so many marketing messages, and this would be one "
            "too many. Try again after a day at the earliest."
        ),
    ),
    "130472": Refusal(
        code="marketing_experiment",
        cure=(
            "This person is part of an experiment of WhatsApp's, and gets no marketing messages "
            "from anybody. Another channel reaches them."
        ),
    ),
}
"""What WhatsApp's own error numbers mean."""

NOT_FOUND = Refusal(
    code="not_found",
    cure=(
        "Genesys Cloud lacks something that this message names, such as the external contact of a "
        "web visitor, a sender's integration or a response: check that it is there, and plan again."
    ),
)

_ACTIVE = re.compile(r"active conversation", re.IGNORECASE)
_NUMBER = re.compile(r"(?<!\d)(?:" + "|".join(META) + r")(?!\d)")


def find(status: int, body: object) -> Refusal | None:
    """Return what is known of a refusal, None where it has no name of its own.

    Which status the platform gives a person in a conversation is not documented: 400 or 409. A 404
    that names an entity is about that one, and not about the path.
    """
    fields = mapping(body)
    if status == 404 and (text(fields.get("entityName")) or text(fields.get("entityId"))):
        return NOT_FOUND
    if status not in {400, 409}:
        return None
    said = " ".join(_words(body))
    if _ACTIVE.search(said):
        return ACTIVE_CONVERSATION
    number = _NUMBER.search(said)
    return META[number.group()] if number else None


def _words(body: object) -> list[str]:
    fields = mapping(body)
    details, errors = fields.get("details"), fields.get("errors")
    said = [fields.get("message"), fields.get("code")]
    said += [mapping(each).get("errorCode") for each in details or ()] if _many(details) else []
    # Errors may be nested, and then no deeper than one level is worth a look.
    said += [mapping(each).get("message") for each in errors or ()] if _many(errors) else []
    return [word for word in said if isinstance(word, str)]


def _many(value: object) -> bool:
    return isinstance(value, list)
