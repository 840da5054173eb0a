"""Response Management of the `agentless` profile: what there is to know of an approved template.

Source: the official SDK's models Response, ResponseSubstitution and WhatsAppDefinition.
"""

from __future__ import annotations

from urllib.parse import quote

from genesys_cloud.api.profiles.fields import identifier, mapping, text
from genesys_cloud.outbound.response_check import ResponseDefinition

RESPONSES = "/api/v2/responsemanagement/responses"


def response_path(response_id: str) -> str:
    """Return the path of one response."""
    return f"{RESPONSES}/{quote(response_id, safe='')}"


def parse_response(body: object, response_id: str) -> ResponseDefinition:
    """Return what a body says of a response."""
    fields = mapping(body)
    listed = fields.get("substitutions")
    substitutions = [mapping(one) for one in listed] if isinstance(listed, list) else []
    defaults = {
        name: _is_text(one.get("defaultValue"))
        for one in substitutions
        if (name := identifier(one.get("id"))) is not None
    }
    whats_app = mapping(mapping(fields.get("messagingTemplate")).get("whatsApp"))
    return ResponseDefinition(
        response_id=response_id,
        name=text(fields.get("name")) or "",
        kind=text(fields.get("responseType")) or "unknown",
        required=frozenset(name for name, default in defaults.items() if not default),
        optional=frozenset(name for name, default in defaults.items() if default),
        language=text(whats_app.get("language")),
        status=text(whats_app.get("templateStatus")),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
