"""The OpenAPI document of the receiver: what it takes and what it answers."""

from __future__ import annotations

from typing import Any

from genesys_cloud.api.profiles.agentless_event_schemas import EVENT_SCHEMAS
from genesys_cloud.api.profiles.messaging import EVENT_SCHEMA

EVENTS = "/genesys-messaging"
HEALTH = "/health"


def document() -> dict[str, Any]:
    """Return the document; its paths are below wherever the receiver is mounted."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Genesys Cloud message events",
            "version": "1",
            "description": "Takes status events and opt-outs, and counts each once.",
        },
        "paths": {EVENTS: {"post": _POST}, HEALTH: {"get": _GET_HEALTH}},
        "components": {"schemas": {"Event": EVENT_SCHEMA, **EVENT_SCHEMAS, "Error": _ERROR}},
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _error(description: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = _answer(description, {"$ref": "#/components/schemas/Error"})
    return answer | ({"headers": headers} if headers else {})


def _header(name: str, description: str, pattern: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", "pattern": pattern},
    }


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
    "additionalProperties": False,
}

_COUNT = {"type": "integer", "minimum": 0}

_RESULT = {
    "enum": [
        *("applied", "stale", "parked", "unknown_status", "duplicate", "ambiguous", "ignored"),
        *("spooled", "test"),
    ],
    "description": (
        "applied: the message moved, or a person's opt-out word was obeyed. stale: it was there "
        "already, or further. parked: the message is not known yet. unknown_status: kept, and not "
        "understood. duplicate: the event had come before. ambiguous: its conversation holds "
        "several messages, or the message failed and the reason is still to be asked for. "
        "ignored: there was nothing to count. "
        "spooled: kept on disk until the ledger is back. test: an event of the type webhook.test, "
        "which is answered and not counted."
    ),
}

_TRIED = {"const": "test", "description": "test: a signed trial event; nothing is counted."}

_COUNTED_ONE = {
    "type": "object",
    "required": ["result"],
    "properties": {"result": {"anyOf": [_RESULT, _TRIED]}},
    "additionalProperties": False,
}

_COUNTED_BATCH = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "object",
            "propertyNames": _RESULT,
            "additionalProperties": _COUNT,
            "description": "How many events of the array had each result.",
        },
        "refused": _COUNT | {"description": "How many members of the array are no events."},
        "reasons": {
            "type": "array",
            "maxItems": 10,
            "description": "The first of those, and why.",
            "items": {
                "type": "object",
                "required": ["index", "error"],
                "properties": {"index": _COUNT, "error": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

_ANY_EVENT = {
    "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Event", *EVENT_SCHEMAS)]
}

_BODY = {"anyOf": [_ANY_EVENT, {"type": "array", "minItems": 1, "items": _ANY_EVENT}]}

_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}

_ALLOW = {"Allow": {"schema": {"type": "string"}}}

_POST: dict[str, Any] = {
    "operationId": "receiveStatusEvents",
    "summary": "Count one status event, or an array of them",
    "parameters": [
        _header(
            "X-Hub-Signature-256",
            "HMAC-SHA256 of the raw body, in base64 or hex. This, webhook-signature or x-api-key "
            "is needed.",
            "^sha256=[0-9A-Za-z+/=]{44,64}$",
        ),
        _header("webhook-id", "Standard Webhooks: the id that is signed.", "^[!-~]+$"),
        _header("webhook-timestamp", "Standard Webhooks: seconds since 1970.", "^[0-9]{1,15}$"),
        _header(
            "webhook-signature",
            "Standard Webhooks: `v1,` and base64, several separated by spaces.",
            "^v1,[0-9A-Za-z+/]{43}=( v1,[0-9A-Za-z+/]{43}=)*$",
        ),
        _header(
            "x-api-key",
            "A key, of who can't sign; where there is a signature, too, the signature decides.",
            "^[!-~]{16,}$",
        ),
    ],
    "requestBody": {
        "required": True,
        "description": "At most 256 KiB of JSON in UTF-8.",
        "content": {"application/json": {"schema": _BODY}},
    },
    "responses": {
        "200": _answer(
            "Kept for good: in the ledger, or on disk until the ledger is back.",
            {"oneOf": [_COUNTED_ONE, _COUNTED_BATCH]},
        ),
        "400": _error("No event, and never will be."),
        "401": _error("No signature and no key, or none that fits."),
        "405": _error("Not a POST.", _ALLOW),
        "413": _error("Larger than 256 KiB."),
        "415": _error("Not JSON in UTF-8, or compressed."),
        "500": _error("This event can't be counted; the receiver's log names it."),
        "503": _error("Try again later.", _RETRY),
    },
}

_STATE = {
    "type": "object",
    "required": ["status", "waiting", "spooled_bytes"],
    "properties": {
        "status": {"enum": ["ok", "spooling", "full"]},
        "waiting": _COUNT | {"description": "Events that wait for a transaction."},
        "spooled_bytes": _COUNT | {"description": "What waits on disk for the ledger."},
    },
    "additionalProperties": False,
}

_GET_HEALTH: dict[str, Any] = {
    "operationId": "health",
    "summary": "Say whether events are taken",
    "responses": {
        "200": _answer("Events are taken: into the ledger, or on disk.", _STATE),
        "405": _error("Not a GET.", _ALLOW),
        "503": _answer("Events are turned away.", _STATE),
    },
}
