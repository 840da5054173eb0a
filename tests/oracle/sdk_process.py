"""The official SDK in a process of its own: requests in, a JSON line each, answers out.

It takes seconds to import, starts threads and keeps one configuration a process, so tests talk to
it from outside. Run with the path of nothing of ours; it knows the SDK alone.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import PureCloudPlatformClientV2 as sdk  # noqa: N813 - its name would fill half of each line
from PureCloudPlatformClientV2.rest import ApiException

OUTDATED = "outdated_sdk_version"
"""What the SDK puts in place of an enum value that it does not know."""

PRIMITIVES = {"str", "int", "float", "bool", "date", "datetime", "object", "LocalDateTime"}


def client(host: str, token: str = "") -> Any:
    """Return an API client for a host."""
    made = sdk.ApiClient(host)
    made.access_token = token
    return made


def log_in(host: str, client_id: str, client_secret: str) -> str:
    """Fetch an access token by the client credentials grant."""
    return str(client(host).get_client_credentials_token(client_id, client_secret).access_token)


def send(host: str, token: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Post an agentless message; `fields` are the model's attributes."""
    api = sdk.ConversationsApi(client(host, token))
    request = built("SendAgentlessOutboundMessageRequest", fields)
    try:
        answer = api.post_conversations_messages_agentless(request)
    except ApiException as error:
        return {"status": error.status, "body": error.body}
    except Exception as error:
        return {"error": type(error).__name__}
    return {"id": answer.id, "conversation_id": answer.conversation_id}


def built(name: str, fields: dict[str, Any]) -> Any:
    """Return a model with these attributes."""
    model = getattr(sdk, name)()
    for attribute, value in fields.items():
        setattr(model, attribute, member(model.swagger_types[attribute], value))
    return model


def member(kind: str, value: Any) -> Any:
    """Return an attribute's value: a model, a list of them, or as it is."""
    if kind.startswith("list["):
        return [member(kind[5:-1], each) for each in value]
    return value if kind in PRIMITIVES or kind.startswith("dict(") else built(kind, value)


class Response:
    """What the SDK deserialises."""

    def __init__(self, body: Any) -> None:
        self.data = json.dumps(body)

    def getheader(self, name: str) -> str:
        """Return the content type, whatever is asked for."""
        return "application/json"


def misfits(kind: str, body: Any) -> list[str]:
    """Deserialise a body, and return the paths of what the SDK's models do not know."""
    sdk.ApiClient("http://127.0.0.1:1").deserialize(Response(body), kind)
    return list(strangers(kind, body, kind))


def strangers(kind: str, value: Any, path: str) -> Any:
    """Yield the keys that a model lacks, the enum values that it does not know, wrong types."""
    if value is None:
        return
    if kind.startswith("list["):
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for number, each in enumerate(value):
            yield from strangers(kind[5:-1], each, f"{path}[{number}]")
    elif kind.startswith("dict("):
        inner = kind[5:-1].split(", ", 1)[1]
        for key, each in value.items():
            yield from strangers(inner, each, f"{path}.{key}")
    elif kind in PRIMITIVES:
        if not fits(kind, value):
            yield f"{path}: {value!r} is no {kind}"
    elif not isinstance(value, dict):
        yield f"{path}: no object"
    else:
        yield from strangers_in(kind, value, path)


def strangers_in(kind: str, value: dict[str, Any], path: str) -> Any:
    """Yield what is strange in an object that should be of a model."""
    model = getattr(sdk, kind)()
    known = {wire: attribute for attribute, wire in model.attribute_map.items()}
    for key, each in value.items():
        attribute = known.get(key)
        if attribute is None:
            yield f"{path}.{key}: unknown key"
            continue
        inner = model.swagger_types[attribute]
        if inner == "str" and isinstance(each, str):
            setattr(model, attribute, each)
            if getattr(model, attribute) == OUTDATED:
                yield f"{path}.{key}: unknown value {each!r}"
        yield from strangers(inner, each, f"{path}.{key}")


def fits(kind: str, value: Any) -> bool:
    """Say whether a JSON value is of a primitive kind."""
    if kind == "bool":
        return isinstance(value, bool)
    if kind in {"int", "float"}:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return kind == "object" or isinstance(value, str)


OPERATIONS = {"log_in": log_in, "send": send, "misfits": misfits}


def main() -> None:
    """Answer until nobody asks any more."""
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = OPERATIONS[asked["operation"]](**asked["arguments"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
