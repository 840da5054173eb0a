"""The question whether to send a plan: who may answer, when, and what voids the answer."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from genesys_cloud.errors import AnswerRefusedError, NotApprovedError, UnaccountedError
from genesys_cloud.ledger import audit, campaigns
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import BEING_PLANNED, Origin
from genesys_cloud.ledger.tables import occurrences
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.approval.answering import NOT_SENT, Question, why_not_sent
from genesys_cloud.workflows.approval.approved_plan import check_not_replaced
from genesys_cloud.workflows.approval.question import preview_page, question_text
from genesys_cloud.workflows.audiences import open_audience
from genesys_cloud.workflows.planning import plan_occurrence

NOW = datetime.now(UTC)
HEADER = "recipient_id,address,consent,language,name,orderId"
PEOPLE = [f"r{n},+1202555{n:04},true,en,Alex,A-{n}" for n in range(101, 104)]
BOB = {"id": "7", "name": "Bob"}


@dataclass(kw_only=True)
class Run:
    """A run of send_campaign up to its question; `told` is what its tasks tell the summary."""

    ledger: Ledger
    include: Path
    starter: str | None = "ann"
    params: dict[str, Any] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    planned: dict[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> Path:
        return self.include / "audiences" / "people.csv"

    def plan(self, *rows: str, run_id: str = "manual__1", **settings: Any) -> None:
        self.people.write_text("\n".join([HEADER, *(rows or PEOPLE)]) + "\n", encoding="utf-8")
        campaign = Campaign(
            campaign_id="winter", audience="people.csv", template="order_update",
            channel="messaging:sms", sender="+12025550100", **settings,
        )  # fmt: skip
        template = TemplateLibrary(root=self.include / "templates").load("order_update", "sms")
        with open_audience(campaign.audience, self.include) as audience:
            plan, report = plan_occurrence(
                self.ledger, campaign, template, audience, occurrence="once", now=NOW, asks=True,
                origin=Origin(
                    dag_id="send_campaign", run_id=run_id, audience_digest=audience.digest
                ),
            )  # fmt: skip
        self.planned = {
            "occurrence_id": plan.occurrence_id,
            "occurrence": "once",
            "plan_digest": plan.digest,
            "left_over": plan.left_over,
            "profile": "messaging",
            "to_send": report.planned + plan.left_over,
            "counts": report.as_counts(),
        }

    @property
    def question(self) -> Question:
        given = {
            "campaign_id": "winter",
            "channel": "messaging:sms",
            "sender": "+12025550100",
            "template": "order_update",
            "use_active_conversation": False,
            "require_approval": True,
            "approval_by_other": False,
            "approval_hours": 24,
        }
        run = SimpleNamespace(
            dag_id="send_campaign", run_id="manual__1", triggering_user_name=self.starter
        )
        ti = SimpleNamespace(
            xcom_pull=lambda task_ids: self.planned,
            xcom_push=lambda key, value: self.told.update({key: value}),
        )
        return Question.about({"params": given | self.params, "dag_run": run, "ti": ti})

    def row(self) -> Any:
        with self.ledger.read() as connection:
            return connection.execute(select(occurrences)).one()

    def change(self, **values: Any) -> None:
        with self.ledger.write() as connection:
            connection.execute(update(occurrences).values(**values))

    def trail(self) -> list[tuple[str, str, Any]]:
        assert audit.verify(self.ledger).ok
        return [
            (one["action"], one["actor"], one["details"].get("reason"))
            for one in audit.read(self.ledger)
            if one["action"].startswith(("campaign.appro", "campaign.rej"))
        ]


@pytest.fixture
def run(sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    include = tmp_path / "include"
    shutil.copytree(PROJECT_ROOT / "include", include)
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(include))
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    made = Run(ledger=sqlite_ledger, include=include)
    made.plan()
    return made


def test_a_yes_is_written_into_the_ledger_under_the_plan_s_digest(run: Run) -> None:
    question = run.question
    with pytest.raises(NotApprovedError, match="Nobody has approved the plan"):
        question.release()
    question.approve(BOB)
    found = run.row()
    assert (found.approved_digest, found.approved_by) == (found.plan_digest, "airflow:Bob")
    question.release()
    assert run.trail() == [
        ("campaign.approval_void", "airflow", "not_approved"),
        ("campaign.approved", "airflow:Bob", None),
    ]


def other_list(run: Run) -> None:
    run.people.write_text("\n".join([HEADER, *PEOPLE[:1]]) + "\n", encoding="utf-8")


def no_list(run: Run) -> None:
    run.people.unlink()


def useless_list(run: Run) -> None:
    run.people.write_text("name\nAlex\n", encoding="utf-8")


def other_text(run: Run) -> None:
    text = run.include / "templates" / "order_update" / "es.j2"
    text.write_text(text.read_text(encoding="utf-8") + "!", encoding="utf-8")


def other_greeting(run: Run) -> None:
    file = run.include / "templates" / "greetings.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Hello", "Hi"), encoding="utf-8")


def no_template(run: Run) -> None:
    shutil.rmtree(run.include / "templates" / "order_update")


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (other_list, "the contact list 'people.csv' has another content"),
        (no_list, "does not exist"),
        (useless_list, "can't be used"),
        (other_text, "template 'order_update' (or its greeting) is version"),
        (other_greeting, "(or its greeting) is version"),
        (no_template, "There is no template 'order_update'"),
    ],
)
def test_a_file_that_has_changed_voids_the_yes_and_one_already_given(
    run: Run, happens: Callable[[Run], None], words: str
) -> None:
    question = run.question
    question.approve(BOB)
    run.change(approved_digest=None, approved_by=None)
    happens(run)
    with pytest.raises(NotApprovedError) as void:
        question.approve(BOB)
    assert words in str(void.value)
    assert str(void.value).endswith("Start the campaign again to plan it anew and be asked again.")
    assert run.row().approved_digest is None
    assert run.told == {NOT_SENT: str(void.value)}
    # A campaign that waits for its not_before is held against the files once more.
    run.change(approved_digest=run.row().plan_digest, approved_by="airflow:Bob")
    with pytest.raises(NotApprovedError) as later:
        question.release()
    assert words in str(later.value)
    assert run.trail()[1:] == [
        ("campaign.approval_void", "airflow:Bob", "files_changed"),
        ("campaign.approval_void", "airflow", "files_changed"),
    ]


def test_a_change_that_is_undone_before_the_answer_voids_nothing(run: Run) -> None:
    before = run.people.read_bytes()
    other_list(run)
    run.people.write_bytes(before)
    run.question.approve(BOB)


@pytest.mark.parametrize("digest", ["f" * 64, BEING_PLANNED])
def test_a_run_that_plans_anew_voids_the_yes_and_is_named(run: Run, digest: str) -> None:
    run.change(plan_digest=digest, run_id="manual__2")
    with pytest.raises(NotApprovedError, match=r"planned .* by run send_campaign/manual__2"):
        run.question.approve(BOB)
    with pytest.raises(NotApprovedError):
        run.question.release()
    with pytest.raises(NotApprovedError):
        run.question.put()
    assert run.trail()[0] == ("campaign.approval_void", "airflow:Bob", "planned_anew")


@pytest.mark.parametrize(
    "crafted",
    [{"occurrence_id": 99}, {"occurrence_id": None}, {"plan_digest": None}, {"plan_digest": ""}],
)
def test_what_a_task_returned_is_not_believed(run: Run, crafted: Mapping[str, Any]) -> None:
    run.planned |= crafted
    with pytest.raises(NotApprovedError, match="no plan such as this run's"):
        run.question.approve(BOB)
    with pytest.raises(NotApprovedError, match="no plan such as this run's"):
        run.question.release()


def test_another_campaign_s_plan_is_not_this_run_s(run: Run) -> None:
    run.question.approve(BOB)
    run.params = {"campaign_id": "spring", "require_approval": False}
    with pytest.raises(NotApprovedError, match="Campaign 'spring': the ledger has no plan such"):
        run.question.release()


@pytest.mark.parametrize(
    ("starter", "user", "may"),
    [
        ("ann", {"id": "7", "name": "Bob"}, True),
        ("ann", {"id": "7", "name": "ann"}, False),
        ("ann", {"id": "ann", "name": "Ann Miller"}, False),
        ("ann", {"id": "7", "name": " Ann "}, False),
        # Where nobody logs in, everybody is the same.
        ("Anonymous", {"id": "Anonymous", "name": "Anonymous"}, False),
        # A schedule is nobody.
        (None, {"id": "7", "name": "ann"}, True),
        ("ann", None, False),
        ("ann", {}, False),
    ],
)
def test_somebody_else_is_whoever_has_another_name_and_id(
    run: Run, starter: str | None, user: dict[str, str] | None, *, may: bool
) -> None:
    run.starter, run.params = starter, {"approval_by_other": True}
    if may:
        run.question.approve(user)
        run.question.release()
    else:
        with pytest.raises(AnswerRefusedError, match="does not count"):
            run.question.approve(user)
        assert run.row().approved_digest is None
        assert run.trail()[0][::2] == (
            "campaign.approval_refused", "same_user" if user else "no_user"
        )  # fmt: skip


def test_a_yes_of_an_earlier_run_by_who_starts_this_one_is_not_somebody_else_s(run: Run) -> None:
    run.question.approve({"id": "1", "name": "ann"})
    run.params = {"approval_by_other": True}
    with pytest.raises(NotApprovedError, match="needs somebody else"):
        run.question.release()


def test_an_answer_of_no_user_counts_for_nothing_whoever_may_give_it(run: Run) -> None:
    with pytest.raises(AnswerRefusedError, match="no user of Airflow has given it"):
        run.question.approve(None)


def test_anybody_s_no_takes_back_the_yes(run: Run) -> None:
    run.params = {"approval_by_other": True}
    run.question.approve(BOB)
    with pytest.raises(NotApprovedError, match="was rejected by airflow:ann"):
        run.question.reject({"id": "ann", "name": "ann"})
    with pytest.raises(NotApprovedError, match="Nobody has approved"):
        run.question.release()


def test_nobody_who_answers_in_time_is_a_no(run: Run) -> None:
    with pytest.raises(NotApprovedError, match=r"nobody answered within 24 hours\. Nothing"):
        run.question.miss("timeout")
    with pytest.raises(NotApprovedError, match=r"ended with an error of Airflow's \(unknown\)"):
        run.question.miss("unknown")
    assert run.trail() == [
        ("campaign.approval_missed", "airflow", "timeout"),
        ("campaign.approval_missed", "airflow", "unknown"),
    ]


def test_an_answer_is_in_time_until_the_moment_that_the_question_shows(run: Run) -> None:
    asked = run.question.asked | {"until": NOW.isoformat()}
    question = Question(context=run.question.context, asked=asked)
    question.check_in_time(NOW)
    with pytest.raises(NotApprovedError, match="nobody answered within 24 hours"):
        question.check_in_time(NOW + timedelta(microseconds=1))
    assert run.trail() == [("campaign.approval_missed", "airflow", "timeout")]
    # What was asked before this was known has no such moment.
    run.question.check_in_time(NOW + timedelta(days=9))


def test_the_question_ends_at_the_deadline_and_so_does_every_answer(run: Run) -> None:
    run.params = {"approval_hours": 2}
    assert timedelta(hours=1.9) < run.question.put()[0] - NOW < timedelta(hours=3)
    deadline = NOW + timedelta(hours=1)
    run.change(deadline=deadline)
    assert run.question.put()[0] == deadline
    run.change(deadline=datetime.now(UTC) - timedelta(seconds=1))
    for asks in (
        run.question.put,
        lambda: run.question.approve(BOB),
        lambda: run.question.miss("timeout"),
    ):
        with pytest.raises(NotApprovedError, match="its deadline passed before anybody approved"):
            asks()
    assert set(run.trail()) == {("campaign.approval_missed", "airflow", "deadline")}


def test_a_run_that_another_has_replaced_says_who_sends_the_rest(run: Run) -> None:
    before = dict(run.planned)
    run.question.approve(BOB)
    run.plan(*PEOPLE[:2], run_id="manual__2")
    assert run.planned["left_over"] == 1
    counted = campaigns.progress(run.ledger, "winter")
    sentence = "by run send_campaign/manual__2 .* 3 recipients still wait, and the later run sends"
    with pytest.raises(UnaccountedError, match=sentence):
        check_not_replaced(run.ledger, before, counted)
    check_not_replaced(run.ledger, run.planned, counted)


def test_who_was_in_a_rejected_plan_alone_gets_nothing_by_the_next(run: Run) -> None:
    with pytest.raises(NotApprovedError):
        run.question.reject(BOB)
    run.plan(*PEOPLE[:2], run_id="manual__2")
    counted = campaigns.progress(run.ledger, "winter")
    assert (run.planned["left_over"], counted.states["planned"]) == (0, 2)
    assert counted.blocked_reasons == {"plan_never_released": 1}
    run.question.approve(BOB)
    # Back in the list, the third is planned like anybody; then approved, and left over for good.
    run.plan()
    assert campaigns.progress(run.ledger, "winter").states["planned"] == 3
    run.question.approve(BOB)
    run.plan(*PEOPLE[:2])
    assert run.planned["left_over"] == 1
    assert audit.verify(run.ledger).ok


def test_a_plan_replaced_before_its_question_is_put_is_void_and_says_so(run: Run) -> None:
    question = run.question
    run.plan(*PEOPLE[:2], run_id="manual__2")
    with pytest.raises(NotApprovedError, match="by run send_campaign/manual__2") as void:
        question.put()
    assert run.told == {NOT_SENT: str(void.value)}
    assert run.trail() == [("campaign.approval_void", "airflow", "planned_anew")]


def test_the_question_shows_figures_and_nobody(run: Run) -> None:
    run.question.approve(BOB)
    run.plan(*PEOPLE[:2], "r9,+12025550109,false,en,Bo,A-9")
    run.planned["preview"] = {
        "cost": "about EUR 0.16", "finish": "in a minute",
        "warnings": ["2 would be late."], "difference": [], "advice": [],
    }  # fmt: skip
    run.params = {"approval_by_other": True, "sender": "ab`|<b>\n12"}
    _, text = run.question.put()
    for line in (
        "**3** messages will be sent on `messaging:sms` from `ab  <b> 12` with template "
        "`order_update` (profile messaging).",
        "| recipients in the audience | 3 |",
        "| left over from an earlier list, with its text | 1 |",
        "| blocked | `consent_not_verified` 1 |",
        "| languages | `en` 3 |",
        "| cost | about EUR 0.16 |",
        f"| plan | `{run.planned['plan_digest'][:12]}` |",
        "| started by | `ann` |",
        "- 2 would be late.",
        "Somebody other than `ann` has to approve.",
    ):
        assert line in text.splitlines()
    assert "settled" not in text
    for personal in ("2025550101", "Alex", "A-101"):
        assert personal not in text


def test_what_was_sent_before_and_what_else_is_to_be_known_is_said() -> None:
    planned = {
        "plan_digest": "d" * 64, "to_send": 5, "profile": "agentless", "lint": {"warning": 2},
        "counts": {
            "recipients": 10, "planned": 9, "held": 1, "opens_at": "2026-11-24T08:00:00+00:00",
            "blocked": {}, "languages": {"en": 9}, "segments": 12,
        },
    }  # fmt: skip
    params = {
        "channel": "c", "sender": "s", "template": "t", "use_active_conversation": True,
        "approval_hours": 0.5,
    }  # fmt: skip
    text = question_text(planned, params, started_by="scheduled", not_by=None, until=NOW, page="/p")
    for line in (
        "| settled by an earlier run | 4 |",
        "| held by quiet hours, from 2026-11-24T08:00:00+00:00 on | 1 |",
        "| warnings about the template, in the log of **plan** | 2 |",
        "| SMS segments | 12 |",
        "[Preview: the texts, the first who are blocked, and why](/p)",
        "If it is asked again, this text stays as it is, and there are 0.5 hours anew to answer.",
    ):
        assert line in text.splitlines()
    assert "a bot takes them for the customer's own words" in text
    assert "Somebody other" not in text


@pytest.mark.parametrize("base", ["", "/", "http://localhost:8080", "https://a.example/air/"])
def test_the_preview_is_where_airflow_shows_a_run_s_pages(base: str) -> None:
    page = preview_page("send_campaign", "manual__2026-11-23T12:00:00+00:00", base)
    run_id = "manual__2026-11-23T12%3A00%3A00%2B00%3A00"
    prefix = "/air" if "air" in base else ""
    assert page == f"{prefix}/dags/send_campaign/runs/{run_id}/plugin/genesys-preview"


def test_the_summary_is_told_by_whichever_task_stopped() -> None:
    said = {("shards", NOT_SENT): "because"}
    ti = SimpleNamespace(xcom_pull=lambda task_ids, key: said.get((task_ids, key)))
    assert why_not_sent(ti) == "because"
    said.clear()
    assert why_not_sent(ti) is None


def test_the_digest_of_a_plan_says_nothing_of_its_people(run: Run) -> None:
    digest = run.planned["plan_digest"]
    assert len(digest) == len(hashlib.sha256().hexdigest())
    (planned,) = [one for one in audit.read(run.ledger) if one["action"] == "campaign.planned"]
    assert planned["details"]["plan_digest"] == digest
