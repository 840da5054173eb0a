"""Whether all that a campaign needs is there: checks that say what was found, or what to do.

Nothing is sent and nothing is changed: what is written to see that it can be is undone, and the
receiver does not count the event that tries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from genesys_cloud.api.rights import RIGHTS
from genesys_cloud.hooks.genesys_cloud import DEFAULT_CONNECTION
from genesys_cloud.workflows.doctor import (
    checks_airflow,
    checks_api,
    checks_files,
    checks_ledger,
    checks_policies,
    checks_receiver,
)
from genesys_cloud.workflows.doctor.checkup import Check, Scene, Step

CHECKS: Sequence[Step] = (
    Step(name="connection", look=checks_api.connection),
    Step(name="token", look=checks_api.token, needs=["connection"]),
    Step(name="profile", look=checks_api.profile, needs=["token"]),
    Step(name="rights", look=checks_api.rights, needs=["profile"]),
    *(
        Step(name=f"right_to_{right.to}", look=partial(checks_api.right, right), needs=["rights"])
        for right in RIGHTS
    ),
    Step(name="limit", look=checks_api.limit, needs=["profile"]),
    Step(name="clock", look=checks_api.clock, needs=["token"]),
    Step(name="ledger", look=checks_ledger.schema),
    Step(name="ledger_writable", look=checks_ledger.writable, needs=["ledger"]),
    Step(name="audit", look=checks_ledger.audit_trail, needs=["ledger"]),
    Step(name="unknown_sends", look=checks_ledger.unknown_sends, needs=["ledger"]),
    Step(name="parked_events", look=checks_ledger.parked_events, needs=["ledger"]),
    Step(name="spool", look=checks_ledger.spool),
    Step(name="templates", look=checks_files.templates),
    Step(name="approved", look=checks_files.approved, needs=["templates", "profile"]),
    Step(name="policies", look=checks_policies.policies),
    Step(name="senders", look=checks_policies.senders),
    Step(name="notifications", look=checks_policies.notifications),
    Step(name="exports", look=checks_files.exports),
    Step(name="receiver", look=checks_receiver.configured, needs=["connection"]),
    Step(name="registration", look=checks_receiver.registered, needs=["profile"]),
    Step(name="receiver_answers", look=checks_receiver.answers, needs=["receiver"]),
    Step(name="forms", look=checks_airflow.forms),
    Step(name="fan_out", look=checks_airflow.fan_out),
    Step(name="pool", look=checks_airflow.pool),
)


def look_around(conn_id: str = DEFAULT_CONNECTION, *, try_receiver: bool = True) -> Iterator[Check]:
    """Yield each check as it is made; what rests on one that failed is left out."""
    scene, well = Scene(conn_id=conn_id, try_receiver=try_receiver), set[str]()
    try:
        for step in CHECKS:
            if well.issuperset(step.needs) and (check := step.run(scene)) is not None:
                yield check
                if check.ok:
                    well.add(step.name)
    finally:
        scene.close()
