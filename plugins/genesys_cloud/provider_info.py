"""The connection type `genesys_cloud` and its form, as data; every Airflow process reads this."""

from __future__ import annotations

from typing import Any

REGIONS = (
    "us-east-1", "us-east-2", "us-west-2", "ca-central-1", "mx-central-1", "sa-east-1",
    "eu-west-1", "eu-west-2", "eu-central-1", "eu-central-2", "eusc-de-east-1", "me-central-1",
    "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3",
)  # fmt: skip
"""Spelled here too, for importing the API's table would cost every process; a test compares."""


def get_provider_info() -> dict[str, Any]:
    """Return what Airflow's provider discovery asks for."""
    return {
        "package-name": "genesys-cloud-campaigns",
        "name": "Genesys Cloud campaigns",
        "description": "Outbound messaging campaigns over Genesys Cloud.",
        "connection-types": [_connection_type()],
    }


def _connection_type() -> dict[str, Any]:
    return {
        "connection-type": "genesys_cloud",
        "hook-name": "Genesys Cloud",
        "hook-class-name": "genesys_cloud.hooks.genesys_cloud.GenesysCloudHook",
        "ui-field-behaviour": {
            "hidden-fields": ["port", "schema"],
            "relabeling": {
                "login": "OAuth client ID",
                "password": "OAuth client secret",
                "host": "Base URL",
            },
            "placeholders": {"host": "leave empty: the region says where"},
        },
        "conn-fields": {
            "region": _field(
                "Region",
                {"type": "string", "enum": list(REGIONS), "default": "us-east-1"},
                "Where the organisation lives. A base URL above wins over it.",
            ),
            "profile": _field(
                "API profile",
                {"type": "string", "enum": ["auto", "messaging", "agentless"], "default": "auto"},
                "Which contract the host serves; auto finds out.",
            ),
            "requests_per_minute": _field(
                "Requests per minute",
                {"type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000},
                "The account's rate limit, shared by all tasks. Empty: what Genesys Cloud says, "
                "else 300.",
            ),
            "timeout_s": _field(
                "Timeout in seconds",
                {"type": "number", "exclusiveMinimum": 0, "maximum": 600, "default": 30},
                "For connecting, and for each answer.",
            ),
            "webhook_secret": _field(
                "Webhook signing secret",
                {"type": ["string", "null"], "format": "password"},
                "What status events are signed with.",
            ),
            "webhook_api_key": _field(
                "Webhook API key",
                {"type": ["string", "null"], "format": "password"},
                "What senders that can't sign send as x-api-key: EventBridge, data actions.",
            ),
        },
    }


def _field(label: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"label": label, "schema": schema, "description": description}
