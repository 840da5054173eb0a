"""A dry run says what the plan then does: whom the ledger knows, who has had enough, who is new."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from genesys_cloud.ledger import consents, plans, previews, suppressions
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.foreseeing import Foresight
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.tables import audit_entries, messages, occurrences
from genesys_cloud.outbound.audience import Row, read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.consent import ConsentState
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence, rehearse
from tests.ledger.planted import attempted

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAMPAIGN = Campaign(
    campaign_id="offers",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
MANY = settings(deadline=None, suppress_health_check=list(HealthCheck))
EXAMPLES = count(1)
"""Each example has a name of its own and numbers that nobody else has."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody on a list, and what the ledger has of them; hours count from now."""

    consent: bool
    ends_in: int | None
    suppressed_for: int | None
    decisions: tuple[tuple[str, str, int, int | None], ...]
    had: int


DECISIONS = st.lists(
    st.tuples(
        st.sampled_from(["given", "withdrawn"]),
        st.sampled_from(["", "offers", "care"]),
        st.integers(-3, 0),
        st.sampled_from([None, -1, 1]),
    ),
    max_size=2,
    unique_by=lambda one: one[:3],
).map(tuple)
PEOPLE = st.lists(
    st.builds(
        Person,
        consent=st.sampled_from([True, True, True, False]),
        ends_in=st.sampled_from([None, None, 1]),
        suppressed_for=st.sampled_from([None, None, -1, 1]),
        decisions=DECISIONS,
        had=st.integers(0, 2),
    ),
    min_size=1,
    max_size=8,
)
RULES = st.fixed_dictionaries({
    "consent_from": st.sampled_from(["audience", "ledger", "both"]),
    "purpose": st.sampled_from(["", "Offers"]),
    "recipient_cap": st.sampled_from([None, 1, 2]),
    "most_messages": st.sampled_from([None, 1, 3]),
})  # fmt: skip


@pytest.fixture(scope="module")
def template() -> Template:
    library = TemplateLibrary(root=PROJECT_ROOT / "include" / "templates")
    return library.load("order_update", CAMPAIGN.channel)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def listed(numbers: Sequence[str], people: Sequence[Person] = ()) -> list[Row]:
    header = "address,consent,name,orderId,consent_expires_at"
    known = [*people, *[None] * (len(numbers) - len(people))]
    rows = [
        f"{number},{str(one is None or one.consent).lower()},Alex,A-1,"
        + (f"{(NOW + one.ends_in * HOUR).isoformat()}" if one and one.ends_in else "")
        for number, one in zip(numbers, known, strict=True)
    ]
    return list(read_csv(io.BytesIO("\n".join([header, *rows]).encode())))


def remember(ledger: Ledger, template: Template, numbers: Sequence[str], people: Sequence[Person],
             name: str) -> None:  # fmt: skip
    """Write into the ledger what it has of people, and send them what they have had."""
    named = list(zip(numbers, people, strict=True))
    channel = {"channel": CAMPAIGN.channel, "source": "test"}
    suppressions.add(
        ledger,
        [
            Suppression(address=number, reason="complaint",
                        expires_at=NOW + one.suppressed_for * HOUR, **channel)
            for number, one in named
            if one.suppressed_for is not None
        ],
        actor="tester",
        now=NOW - 5 * HOUR,
    )  # fmt: skip
    consents.record(
        ledger,
        [
            Consent(address=number, state=ConsentState(state), purpose=purpose,
                    decided_at=NOW + at * HOUR,
                    expires_at=None if ends is None else NOW + ends * HOUR, **channel)
            for number, one in named
            for state, purpose, at, ends in one.decisions
        ],
        actor="tester",
        now=NOW,
    )  # fmt: skip
    for earlier in (1, 2):
        had = [number for number, one in named if one.had >= earlier]
        if had:
            # Long before anybody decided anything.
            before = NOW - 30 * HOUR
            campaign = replace(CAMPAIGN, campaign_id=f"{name}-earlier-{earlier}")
            plan, report = plan_occurrence(
                ledger, campaign, template, listed(had), occurrence="once", now=before
            )
            if report.planned:
                attempted(ledger, plan, [State.ACCEPTED] * report.planned, at=before)


def told(report: PlanReport) -> dict[str, Any]:
    """Return all that a report says, in an order of its own."""
    samples = [asdict(one) for one in report.tally.samples()]
    return {
        **{name: getattr(report, name) for name in ("recipients", "planned", "held")},
        "blocked": dict(report.blocked),
        "examples": {code: sorted(shown) for code, shown in report.examples.items()},
        "languages": dict(report.tally.languages),
        "traffic": report.tally.traffic(),
        "samples": samples,
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=PEOPLE, rules=RULES)
def test_a_dry_run_says_what_the_plan_then_does(
    ledger: Ledger, template: Template, people: list[Person], rules: dict[str, Any]
) -> None:
    example = next(EXAMPLES)
    name = f"example-{example}"
    numbers = [f"+1202{5_550_000 + example * 10 + place}" for place in range(len(people))]
    remember(ledger, template, numbers, people, name)
    campaign = replace(CAMPAIGN, campaign_id=name, **rules)
    foresight = Foresight(ledger=ledger, campaign=campaign, occurrence="once", now=NOW)
    rehearsed = rehearse(
        campaign, template, listed(numbers, people), occurrence="once", now=NOW,
        foresight=foresight,
    )  # fmt: skip
    _, report = plan_occurrence(
        ledger, campaign, template, listed(numbers, people), occurrence="once", now=NOW
    )
    assert told(rehearsed) == told(report)
    assert rehearsed.planned + rehearsed.blocked.total() == rehearsed.recipients == len(people)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=st.dictionaries(
        st.integers(0, 5),
        st.sampled_from([None, State.ACCEPTED, State.REJECTED, State.UNKNOWN]),
        min_size=1,
    ),
    after=st.sets(st.integers(0, 7), min_size=1),
    most=st.sampled_from([None, 2, 4]),
)
def test_a_dry_run_of_what_goes_on_counts_nobody_who_had_it(
    ledger: Ledger,
    template: Template,
    before: dict[int, State | None],
    after: set[int],
    most: int | None,
) -> None:
    name = f"example-{next(EXAMPLES)}"
    campaign = replace(CAMPAIGN, campaign_id=name)
    rows = {each: f"+12025550{each}22" for each in range(8)}
    tried = sorted(set(before) - {each for each in before if before[each] is None})
    waiting = sorted(set(before) - set(tried))
    people = listed([rows[each] for each in [*tried, *waiting]])
    first, _ = plan_occurrence(ledger, campaign, template, people, occurrence="once", now=NOW)
    if tried:
        answers = [state for each in tried if (state := before[each])]
        attempted(ledger, first, answers, named=name, at=NOW)

    # Whoever waits and is on the list comes first, as in the ledger's order.
    on_it = [each for each in [*tried, *waiting] if each in after]
    numbers = [rows[each] for each in [*on_it, *sorted(after - set(before))]]
    campaign = replace(campaign, most_messages=most)
    foresight = Foresight(ledger=ledger, campaign=campaign, occurrence="once", now=NOW)
    rehearsed = rehearse(
        campaign, template, listed(numbers), occurrence="once", now=NOW, foresight=foresight
    )
    left = set(waiting) - after
    assert foresight.left_over() == len(left)
    if left:
        return  # the plan has them in its numbers, and before others where there is a cap
    _, report = plan_occurrence(
        ledger, campaign, template, listed(numbers), occurrence="once", now=NOW
    )
    assert told(rehearsed) == told(report)
    assert rehearsed.tally.messages == report.tally.messages <= len(after - set(tried))


def test_of_a_plan_that_nobody_released_nobody_is_left_over(
    ledger: Ledger, template: Template
) -> None:
    numbers = ["+12025550133", "+12025550144"]
    aim: dict[str, Any] = {"occurrence": "once", "now": NOW}
    plan_occurrence(ledger, CAMPAIGN, template, listed(numbers), asks=True, **aim)
    foresight = Foresight(ledger=ledger, campaign=CAMPAIGN, **aim)
    rehearse(CAMPAIGN, template, listed(numbers[:1]), **aim, foresight=foresight)
    assert foresight.left_over() == 0


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=st.sets(st.integers(0, 9)), after=st.sets(st.integers(0, 9), min_size=1))
def test_a_dry_run_counts_who_is_new_and_who_is_gone(
    ledger: Ledger, template: Template, before: set[int], after: set[int]
) -> None:
    name = f"example-{next(EXAMPLES)}"
    campaign = replace(CAMPAIGN, campaign_id=name)
    rows = {each: f"+12025550{each}11" for each in range(10)}

    def plan(numbers: set[int], occurrence: str) -> plans.Plan:
        people = listed([rows[each] for each in sorted(numbers)])
        return plan_occurrence(
            ledger, campaign, template, people, occurrence=occurrence, now=NOW
        )[0]  # fmt: skip

    plan(before, "first")
    foresight = Foresight(
        ledger=ledger, campaign=campaign, occurrence="second", now=NOW, before="first"
    )
    people = listed([rows[each] for each in sorted(after)])
    rehearse(campaign, template, people, occurrence="second", now=NOW, foresight=foresight)
    second = plan(after, "second")
    counted = previews.count_changed(ledger, second.occurrence_id, "first")
    assert foresight.changed("first") == counted == (len(after - before), len(before - after))
    assert foresight.changed("another") is None


def test_a_dry_run_writes_nothing_into_the_ledger(ledger: Ledger, template: Template) -> None:
    campaign = replace(CAMPAIGN, recipient_cap=1, most_messages=1)
    foresight = Foresight(ledger=ledger, campaign=campaign, occurrence="once", now=NOW)
    numbers = ["+12025550111", "+12025550122"]
    report = rehearse(
        campaign, template, listed(numbers), occurrence="once", now=NOW, foresight=foresight
    )
    assert (report.planned, report.blocked) == (1, {"campaign_cap": 1})
    with ledger.read() as connection:
        for table in (messages, occurrences, audit_entries):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
