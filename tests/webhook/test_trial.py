"""Trial events: answered to whoever signs them, and gone without a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.tables import status_events
from genesys_cloud.webhook.signature import sign
from genesys_cloud.webhook.trial import is_trial, trial_body
from tests.webhook.receiver import ReceiverProcess


def test_a_trial_event_is_answered_and_leaves_no_row(ledger_url: str) -> None:
    with ReceiverProcess(ledger_url) as receiver:
        body = trial_body()
        for _ in range(2):
            answer = receiver.post(body)
            assert (answer.status_code, answer.json()) == (200, {"result": "test"})
        assert receiver.post(body, secret="another").status_code == 401
        assert receiver.post(body, signature="").status_code == 401
        # Among events it is no event, as anything else that is none.
        assert receiver.post(b"[" + body + b"]").status_code == 400
    ledger = open_ledger(ledger_url)
    with ledger.read() as connection:
        assert connection.execute(status_events.select()).all() == []
    assert list(audit.read(ledger)) == []
    ledger.close()


def test_a_status_event_can_not_pass_for_a_trial(tmp_path: Path) -> None:
    body = json.dumps({
        "type": "messaging:messages:updated", "result": "test",
        "data": {"messageId": "m1", "status": "sent", "timestamp": "2026-11-23T12:00:00Z"},
    }).encode()  # fmt: skip
    with ReceiverProcess(f"sqlite:///{tmp_path}/ledger.db") as receiver:
        assert receiver.post(body, signature=sign(body, "x")).status_code == 401
        assert receiver.post(body).json() == {"result": "parked"}


@pytest.mark.parametrize("payload", [None, [], "webhook.test", {"type": ["webhook.test"]}, {}])
def test_other_payloads_are_no_trial(payload: object) -> None:
    assert not is_trial(payload)
