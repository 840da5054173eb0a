"""Response Management: the approved templates that WhatsApp messages name."""

from __future__ import annotations

import re
import uuid
from typing import Any

from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.instants import now_ms, to_iso

DEMO_RESPONSE_ID = "5e6f2f0a-3c1d-4b6a-9d52-0c7a1f4e8b21"
DEMO = {
    "id": DEMO_RESPONSE_ID,
    "name": "order_update",
    "texts": [
        {
            "content": "Hello {{1}}, your order {{2}} is ready.",
            "contentType": "text/plain",
            "type": "body",
        }
    ],
    "substitutions": [
        {"id": "1", "description": "First name"},
        {"id": "2", "description": "Order number"},
    ],
}
_LISTS = ("bodyParameters", "headerParameters", "buttonUrlParameters", "parameters")
_HOLE = re.compile(r"\{\{\s*(\S+?)\s*\}\}")


class ResponseBook:
    """The responses by id."""

    def __init__(self) -> None:
        self._responses: dict[str, dict[str, Any]] = {}
        self.add(DEMO)

    def add(self, body: dict[str, Any]) -> dict[str, Any]:
        """Keep a response, with what is not given filled in; raises ApiError 400."""
        substitutions = body.get("substitutions", [])
        texts = body.get("texts", [])
        if not all(isinstance(each, dict) and "id" in each for each in substitutions):
            raise ApiError(400, "bad.request", "Each substitution is an object with an id.")
        identity, name = str(body.get("id") or uuid.uuid4()), str(body.get("name", "response"))
        whatsapp = {"name": name, "language": "en_US", "templateStatus": "APPROVED"}
        response = {
            "id": identity,
            "name": name,
            "version": 1,
            "libraries": [],
            "texts": texts,
            "dateCreated": to_iso(now_ms()),
            "substitutions": substitutions,
            "responseType": "MessagingTemplate",
            "messagingTemplate": {"whatsApp": whatsapp},
            "selfUri": f"/api/v2/responsemanagement/responses/{identity}",
        } | body
        self._responses[identity] = response | {"id": identity}
        return self._responses[identity]

    def get(self, response_id: str) -> dict[str, Any]:
        """Return a response; raises ApiError 404."""
        if (response := self._responses.get(response_id)) is None:
            raise ApiError(404, "not.found", f"There is no response {response_id}.")
        return response

    def problem(self, template: Any) -> str | None:
        """Return what is wrong with a message's use of a template, if anything is."""
        if not isinstance(template, dict) or not isinstance(template.get("responseId"), str):
            return "messagingTemplate has no responseId."
        response = self._responses.get(template["responseId"])
        if response is None or response["responseType"] != "MessagingTemplate":
            return f"There is no messaging template {template['responseId']}."
        try:
            given = set(_values(template))
        except (KeyError, TypeError):
            return "Each parameter is an object with an id and a value."
        holes = {each["id"]: bool(each.get("defaultValue")) for each in response["substitutions"]}
        missing = [name for name, optional in holes.items() if not optional and name not in given]
        unknown = sorted(given - set(holes))
        if not missing and not unknown:
            return None
        return (
            f"Template Param Count Mismatch for {template['responseId']}: "
            f"missing [{', '.join(missing)}], unknown [{', '.join(unknown)}]."
        )

    def text(self, template: dict[str, Any]) -> str:
        """Return what the recipient of a valid template reads."""
        response = self._responses[template["responseId"]]
        values = {each["id"]: each.get("defaultValue", "") for each in response["substitutions"]}
        values |= _values(template)
        text = next((part.get("content", "") for part in response["texts"]), response["name"])
        return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)


def _values(template: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: str(each["value"]) for name in _LISTS for each in template.get(name) or ()}
