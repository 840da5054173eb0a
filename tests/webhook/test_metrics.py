"""What the standalone receiver tells StatsD: of events, and of a ledger that is away."""

from __future__ import annotations

from pathlib import Path

from genesys_cloud.ledger.database import open_ledger
from tests.statsd import statsd_server
from tests.webhook.receiver import ReceiverProcess
from tests.webhook.test_receiver import AT, accepted
from tests.webhook.test_spooling import away

CLI = ("-c", "from genesys_cloud.cli import main; main()", "receiver")


def test_the_receiver_tells_what_came_and_what_it_did(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    first, second = accepted(ledger, "metrics", 2)
    with statsd_server() as server:
        settings = server.environment | {"AIRFLOW_HOME": str(tmp_path / "airflow")}
        url = str(ledger.engine.url)
        with ReceiverProcess(url, program=CLI, settings=settings) as receiver:
            with away(tmp_path):
                receiver.event("e4", second, "delivered", AT)
            receiver.wait_until("ok")
            receiver.event("e1", first, "delivered", AT)
            receiver.event("e1", first, "delivered", AT)
            receiver.event("e2", first, "sent", AT)
            receiver.event("e3", "nobody's", "delivered", AT)
            receiver.post(b"{}", signature="sha256=wrong")
            receiver.post(b"{}")
            receiver.event("e5", second, "read", AT)
    ledger.close()

    assert server.counters() == {
        "genesys.events.received": 6,
        "genesys.events.applied": 3,
        "genesys.events.duplicate": 1,
        "genesys.events.stale": 1,
        "genesys.events.parked": 1,
        "genesys.events.refused": 2,
        "genesys.spool.kept": 1,
        "genesys.spool.replayed": 1,
    }
    assert server.kinds()["genesys.events.commit"] == "ms"
    assert server.gauge("genesys.spool.bytes") == 0
