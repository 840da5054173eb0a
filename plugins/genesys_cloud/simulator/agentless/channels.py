"""What each messenger type takes, and what is wrong with a message that is posted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genesys_cloud.simulator.agentless.responses import ResponseBook
from genesys_cloud.simulator.channels import length_of
from genesys_cloud.simulator.exchange import ApiError

E164, ID = r"\+[1-9]\d{6,14}", r"[0-9A-Za-z][0-9A-Za-z._-]{2,}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A messenger type: its name on the platform, its limit, the form of its addresses.

    A recipient of web messaging is an external contact and has no address.
    """

    platform: str
    sender: re.Pattern[str]
    recipient: re.Pattern[str] | None
    limit: int = 2000
    contacts: bool = False


CHANNELS = {
    "sms": Channel("Sms", re.compile(rf"{E164}|\d{{3,8}}"), re.compile(E164), 765, contacts=True),
    "whatsapp": Channel("Whatsapp", re.compile(ID), re.compile(r"[1-9]\d{6,14}")),
    "open": Channel("Open", re.compile(ID), re.compile(r"\S+"), contacts=True),
    "webmessaging": Channel("WebMessaging", re.compile(ID), None, contacts=True),
    "apple": Channel("Apple", re.compile(ID), re.compile(E164)),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a message."""

    field: str
    message: str
    code: str = "invalid.value"


def check(body: dict[str, Any], responses: ResponseBook) -> None:
    """Raise ApiError 400 with everything that is wrong with a message."""
    name = body.get("toAddressMessengerType")
    if not isinstance(name, str) or name not in CHANNELS:
        message = (
            f"Value [{name}] is not valid for field type [toAddressMessengerType]. "
            f"Allowable values are: {', '.join(CHANNELS)}"
        )
        raise ApiError(400, "invalid.value", message, details=[_detail("toAddressMessengerType")])
    problems = [*_addresses(body, name), *_content(body, name, responses)]
    if problems:
        message = "The message is not valid: " + " ".join(each.message for each in problems)
        details = [_detail(each.field, each.code) for each in problems]
        raise ApiError(400, "bad.request", message, details=details)


def _detail(field: str, code: str = "invalid.value") -> dict[str, str]:
    return {"errorCode": code, "fieldName": field}


def _addresses(body: dict[str, Any], name: str) -> Iterator[Problem]:
    channel, contact = CHANNELS[name], body.get("externalContactId")
    if not _fits(body.get("fromAddress"), channel.sender):
        yield Problem("fromAddress", f"fromAddress is not provisioned for {name}.")
    if contact is not None and not (channel.contacts and _fits(contact, re.compile(ID))):
        yield Problem("externalContactId", f"externalContactId is not valid for {name}.")
    if channel.recipient is not None:
        if not _fits(body.get("toAddress"), channel.recipient):
            yield Problem("toAddress", f"toAddress is not an address of {name}.")
        return
    if "toAddress" in body:
        yield Problem("toAddress", f"toAddress can not be used for {name}.")
    if contact is None:
        message = f"externalContactId is required for {name}."
        yield Problem("externalContactId", message, "missing.value")


def _content(body: dict[str, Any], name: str, responses: ResponseBook) -> Iterator[Problem]:
    text, template = body.get("textBody"), body.get("messagingTemplate")
    if template is not None:
        if problem := responses.problem(template):
            yield Problem("messagingTemplate", problem)
    elif name == "whatsapp":
        message = "messagingTemplate is required for whatsapp."
        yield Problem("messagingTemplate", message, "missing.value")
    elif not isinstance(text, str) or not text.strip():
        yield Problem("textBody", "textBody is empty.", "missing.value")
    limit = CHANNELS[name].limit
    if isinstance(text, str) and (length := length_of(text)) > limit:
        yield Problem("textBody", f"textBody has {length} characters, and {name} takes {limit}.")
    if not isinstance(body.get("useExistingActiveConversation", False), bool):
        name = "useExistingActiveConversation"
        yield Problem(name, f"{name} is true or false.")


def _fits(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
