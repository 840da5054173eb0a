"""Asynchronous analytics jobs: they take a while, come in stretches, and are behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from genesys_cloud.simulator.agentless.jobs import Job
from tests.simulator.platform_caller import (
    JOBS,
    JULY,
    Platform,
    an_sms,
    around_now,
    ids,
    matching,
    on_a_day,
    past,
)
from tests.simulator.server import SimulatorProcess, wait_for


def job(platform: Platform, **body: object) -> str:
    """Begin a job and return its path."""
    answer = platform.post(JOBS, {"interval": JULY} | body)
    assert answer.status_code == 202, answer.text
    return f"{JOBS}/{answer.json()['jobId']}"


def fulfilled(platform: Platform, path: str) -> str:
    wait_for(lambda: platform.get(path).json()["state"], lambda state: state == "FULFILLED")
    return path


def results(platform: Platform, path: str, size: int = 1000) -> list[str]:
    found, cursor = list[str](), ""
    while True:
        query = f"?pageSize={size}" + (f"&cursor={cursor}" if cursor else "")
        answer = platform.get(f"{path}/results{query}").json()
        found += ids(answer)
        cursor = answer.get("cursor", "")
        if not cursor:
            return found


def test_a_job_is_queued_at_first_and_cancelled_whatever_it_was() -> None:
    begun = Job("j1", [], submitted_ms=3000, completed_ms=6000, available_ms=3000)
    states = [begun.state(at_ms) for at_ms in (3000, 3999, 4000, 5999, 6000)]
    assert states == ["QUEUED", "QUEUED", "PENDING", "PENDING", "FULFILLED"]
    begun.cancelled = True
    assert begun.state(6000) == "CANCELLED"


def test_a_job_is_waited_for_and_then_read_in_stretches() -> None:
    with SimulatorProcess(job_seconds=5) as simulator:
        platform = Platform(simulator)
        platform.admin("conversations", on_a_day(25))
        path = job(platform)
        assert platform.get(f"{path}/results").status_code == 400
        state = platform.get(fulfilled(platform, path)).json()
        assert state["submissionDate"] < state["completionDate"] < state["expirationDate"]
        first = platform.get(f"{path}/results?pageSize=10").json()
        assert len(first["conversations"]) == 10
        assert results(platform, path, 10) == [f"c{number}" for number in range(25)]
        assert "cursor" not in platform.get(f"{path}/results").json()
        assert platform.get(f"{path}/results?cursor=5%2B").status_code == 400
        platform.close()


def test_a_job_finds_what_overlaps_and_has_no_longest_interval(platform: Platform) -> None:
    platform.admin(
        "conversations",
        [
            past(1, "2026-07-09T23:00:00Z", end="2026-07-10T12:30:00Z"),
            past(2, "2026-07-10T12:10:00Z"),
        ],
    )
    hour = "2026-07-10T12:00:00Z/2026-07-10T13:00:00Z"
    assert results(platform, fulfilled(platform, job(platform, interval=hour))) == ["c1", "c2"]
    same_day = job(platform, interval=hour, startOfDayIntervalMatching=True)
    assert results(platform, fulfilled(platform, same_day)) == ["c2"]
    year = "2026-01-01T00:00:00Z/2027-01-01T00:00:00Z"
    filters = matching(addressTo="+13175550001")
    assert results(
        platform, fulfilled(platform, job(platform, interval=year, segmentFilters=filters))
    ) == ["c1"]
    assert results(platform, fulfilled(platform, job(platform, interval=year, limit=1))) == ["c1"]


def test_a_job_that_is_cancelled_has_no_results(platform: Platform) -> None:
    path = job(platform)
    assert platform.call("DELETE", path).status_code == 204
    assert platform.get(path).json()["state"] == "CANCELLED"
    assert platform.get(f"{path}/results").status_code == 400
    assert platform.get(f"{JOBS}/nowhere").status_code == 404


def test_jobs_do_not_see_what_has_not_reached_them() -> None:
    with SimulatorProcess(datalake_lag_s=3600, job_seconds=0) as simulator:
        platform = Platform(simulator)
        platform.accepted(an_sms())
        now = datetime.now(UTC)
        older = past(1, (now - timedelta(hours=2)).isoformat())
        platform.admin("conversations", [older])
        reached = platform.get(f"{JOBS}/availability").json()["dataAvailabilityDate"]
        assert abs(datetime.fromisoformat(reached) - (now - timedelta(hours=1))) < timedelta(
            minutes=1
        )
        path = job(platform, interval=around_now())
        assert results(platform, path) == ["c1"]
        assert len(platform.found()) == 2
        platform.close()


def test_a_job_can_be_made_to_fail(platform: Platform) -> None:
    path = job(platform)
    failed = {"state": "FAILED", "errorMessage": "Too many conversations."}
    platform.simulator.faults([{"on": "job", "fault": "status", "status": 200, "body": failed}])
    assert platform.get(path).json() == failed
