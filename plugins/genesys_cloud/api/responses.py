"""The approved templates of an organisation, asked through a session."""

from __future__ import annotations

from genesys_cloud.api.profiles.agentless import TO_READ_TEMPLATES
from genesys_cloud.api.profiles.agentless_responses import parse_response, response_path
from genesys_cloud.api.profiles.fields import is_error_body
from genesys_cloud.api.session import ApiSession
from genesys_cloud.outbound.response_check import ResponseDefinition


def fetch(session: ApiSession, response_id: str) -> ResponseDefinition | None:
    """Return a response as Genesys has it, None where it knows none of that id.

    A 404 without an ErrorBody is no answer about the response: EndpointMissingError.
    """
    call = session.call(
        "GET",
        response_path(response_id),
        f"response {response_id}",
        permission=TO_READ_TEMPLATES,
    )
    answer = session.answer(call)
    if answer.status == 404 and is_error_body(answer.json()):
        return None
    return parse_response(session.content(call, answer), response_id)
