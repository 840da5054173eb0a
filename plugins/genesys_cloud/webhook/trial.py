"""The trial event: shows that an address takes signed events, and leaves nothing behind.

It is no status event of any profile. The receiver checks its signature as it does any other's, says
`{"result": "test"}`, and counts nothing.
"""

from __future__ import annotations

import json
import uuid

TYPE = "webhook.test"

RESULT = "test"
"""What the receiver answers where it would say what an event did."""


def trial_body() -> bytes:
    """Return the body of a trial event."""
    return json.dumps({"id": f"test_{uuid.uuid4().hex}", "type": TYPE}).encode()


def is_trial(payload: object) -> bool:
    """Return whether a body's JSON is a trial event."""
    return isinstance(payload, dict) and payload.get("type") == TYPE
