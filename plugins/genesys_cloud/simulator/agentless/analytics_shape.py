"""Conversations as analytics shows them: one session a party, the latest status only."""

from __future__ import annotations

from typing import Any

from genesys_cloud.simulator.agentless.conversations import Conversation
from genesys_cloud.simulator.agentless.shapes import PROVIDER
from genesys_cloud.simulator.agentless.words import WORDS
from genesys_cloud.simulator.instants import to_iso

DIVISION = "8d1f5a0e-2b7c-4e0a-8c35-1f8f2f6a9c44"


def analytics_conversation(known: Conversation) -> dict[str, Any]:
    """Return a conversation: AnalyticsConversation, with or without attributes."""
    shown: dict[str, Any] = {
        "conversationId": known.id,
        "conversationStart": to_iso(known.start_ms),
        "conversationInitiator": known.initiator,
        "customerParticipation": known.initiator == "customer",
        "divisionIds": [DIVISION],
        "originatingDirection": known.direction,
        "participants": [_participant(known, purpose) for purpose in purposes(known)],
    }
    if known.end_ms is not None:
        shown["conversationEnd"] = to_iso(known.end_ms)
    return shown


def purposes(known: Conversation) -> tuple[str, ...]:
    """Return who takes part: the API only once it has sent something."""
    return ("api", "customer") if known.status else ("customer",)


def session_direction(known: Conversation, purpose: str) -> str:
    """Return which way a party's session goes."""
    return "outbound" if purpose == "api" else known.direction


def _participant(known: Conversation, purpose: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "participantId": known.part(f"{purpose} participant"),
        "purpose": purpose,
        "sessions": [_session(known, purpose)],
    }
    if known.channel == "webmessaging" and purpose == "customer":
        shown["externalContactId"] = known.recipient
    return shown


def _session(known: Conversation, purpose: str) -> dict[str, Any]:
    other = "customer" if purpose == "api" else "api"
    inbound = session_direction(known, purpose) == "inbound"
    sender, recipient = known.sender, known.recipient
    shown: dict[str, Any] = {
        "sessionId": known.part(f"{purpose} session"),
        "peerId": known.part(f"{other} session"),
        "mediaType": "message",
        "messageType": known.channel,
        "provider": PROVIDER,
        "direction": "inbound" if inbound else "outbound",
        "addressFrom": recipient if inbound else sender,
        "remote": recipient,
        "segments": [_segment(known, purpose)],
    }
    if inbound:
        shown["addressTo"] = sender
    elif known.channel != "webmessaging":
        shown["addressTo"] = recipient
    return shown | (_delivery(known) if purpose == "api" else {})


def _delivery(known: Conversation) -> dict[str, Any]:
    shown: dict[str, Any] = {"metrics": _metrics(known)}
    if known.status:
        shown["deliveryStatus"] = WORDS[known.status].analytics
        shown["deliveryStatusChangeDate"] = to_iso(known.status_ms)
    if known.error_code:
        shown["errorCodeDescription"] = f"The message was not delivered: {known.error_code}."
    return shown


def _metrics(known: Conversation) -> list[dict[str, Any]]:
    names = ["nOutbound", "nOutboundAttempted"]
    names += ["nError"] if known.error_code else []
    started = to_iso(known.start_ms)
    counts = [{"name": name, "value": 1, "emitDate": started} for name in names]
    sent = max(1, len(known.messages))
    return [*counts, {"name": "oMessageCount", "value": sent, "emitDate": started}]


def _segment(known: Conversation, purpose: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "segmentStart": to_iso(known.start_ms),
        "segmentType": "interact",
        "conference": False,
    }
    if known.end_ms is not None:
        shown |= {"segmentEnd": to_iso(known.end_ms), "disconnectType": "peer"}
    if known.error_code and purpose == "api":
        shown |= {"errorCode": known.error_code}
    return shown
