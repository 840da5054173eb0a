"""The forms in which the real platform pushes, as JSON schema; agentless_events.parse decides."""

from __future__ import annotations

from genesys_cloud.api.profiles.addressing import ADDRESSING
from genesys_cloud.api.profiles.agentless_events import INBOUND, OPEN_TYPES
from genesys_cloud.api.profiles.fields import LONGEST_ID

_ID = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
_TIME = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}]}
EVENT_SCHEMAS = {
    "EventBridgeEvent": {
        "type": "object",
        "description": "An EventBridge envelope. A metrics record with a delivery status is "
        "counted, and so is what a trigger's topics say; any other topic is ignored.",
        "required": ["id", "detail"],
        "properties": {
            "id": _ID,
            "detail": {
                "type": "object",
                "required": ["topicName", "eventBody"],
                "properties": {
                    "topicName": {"type": "string"},
                    "eventBody": {
                        "type": "object",
                        "properties": {
                            "conversationId": _ID,
                            "metricDate": _TIME,
                            "deliveryStatus": {"type": "string"},
                        },
                    },
                },
            },
        },
    },
    "TriggerEvent": {
        "type": "object",
        "description": "An event with its topic, as a workflow hands it on; the event alone is "
        "taken, too.",
        "required": ["topicName", "eventBody"],
        "properties": {"topicName": {"type": "string"}, "eventBody": {"type": "object"}},
    },
    "OpenMessage": {
        "type": "object",
        "description": "What an Open Messaging integration hands over: Text and Structured count "
        "as sent, a Receipt as what it says, an Event is ignored.",
        "required": ["id", "type", "channel"],
        "properties": {
            "id": _ID,
            "type": {"enum": sorted(OPEN_TYPES)},
            "channel": {"type": "object", "required": ["time"], "properties": {"time": _TIME}},
            "status": {"type": "string"},
            "reasons": {"type": "array", "items": {"type": "object"}},
        },
    },
    "InboundMessage": {
        "type": "object",
        "description": "What a person wrote, as a data action posts it. A message that is an "
        "opt-out word and nothing else suppresses the address; its text is not kept.",
        "required": ["kind", "id", "channel", "from", "timestamp"],
        "properties": {
            "kind": {"const": INBOUND},
            "id": _ID,
            "conversationId": _ID,
            "channel": {"enum": sorted(way.messenger_type for way in ADDRESSING.values())},
            "from": {"type": "string", "maxLength": 320},
            "to": {"type": "string"},
            "text": {"type": "string"},
            "timestamp": _TIME,
        },
    },
}
