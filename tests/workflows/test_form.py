"""The form of a campaign: what it offers, what it presets, and that nothing there breaks a DAG."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.channels import CHANNELS
from genesys_cloud.workflows.campaign_dag import campaign_dag
from genesys_cloud.workflows.form.fields import CHANNEL_WORDS
from genesys_cloud.workflows.form.params import campaign_form
from genesys_cloud.workflows.form.run_params import campaign_of
from genesys_cloud.workflows.form.trial import trial_form

CAMPAIGN = Campaign(
    campaign_id="spring",
    audience="people.csv",
    template="welcome",
    channel="messaging:web",
    sender="web:shop",
)
OTHERWISE = replace(
    CAMPAIGN,
    campaign_id="summer",
    audience="s3://bucket/people.parquet",
    template="farewell",
    channel="messaging:sms",
    sender="+12025550111",
    default_language="fr",
    messages_per_minute=60,
    batch_size=50,
    segments_per_second=3,
    not_before=datetime(2031, 5, 1, 8, tzinfo=UTC),
    deadline=datetime(2031, 5, 2, 8, tzinfo=UTC),
    error_budget_count=7,
    error_budget_share=0.25,
    use_active_conversation=True,
    purpose="appointments",
    consent_from="both",
    recipient_cap=2,
    recipient_cap_days=30,
    most_messages=1_000,
    hold_out_share=0.1,
    message_class="marketing",
    max_segments=2,
)
NAMES = [field.name for field in fields(Campaign)]


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an include folder of the test's own with one of everything."""
    for name in ("templates/welcome/en.j2", "templates/welcome/pt.j2", "audiences/people.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Hi")
    (tmp_path / "senders.toml").write_text(
        '[[senders]]\nchannel = "messaging:sms"\naddress = "+12025550111"\nlabel = "Shop"\n'
    )
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(tmp_path))
    return tmp_path


def values(form: dict[str, Any]) -> dict[str, Any]:
    """Return what each field of a form holds."""
    return {name: param.value for name, param in form.items()}


def test_the_form_offers_what_exists(include: Path) -> None:
    form = campaign_form()
    assert form["template"].schema["enum"] == ["welcome"]
    assert form["audience"].schema["examples"] == ["people.csv"]
    assert form["default_language"].schema["examples"] == ["en", "pt"]
    assert form["sender"].schema["examples"] == ["+12025550111"]
    assert "- **+12025550111**: Shop, SMS" in form["sender"].schema["description_md"]


def test_a_list_for_tests_is_offered_to_tests_alone(include: Path) -> None:
    (include / "audiences" / "test_recipients.csv").write_text("Hi")
    assert campaign_form()["audience"].schema["examples"] == ["people.csv"]
    offered = trial_form()["test_audience"].schema["examples"]
    assert offered == ["test_recipients.csv", "people.csv"]


def test_the_form_of_a_test_promises_nothing_of_a_campaign() -> None:
    own, campaigns_own = trial_form()["campaign_id"], campaign_form()["campaign_id"]
    assert "continues" not in own.schema["description_md"]
    assert "continues" in campaigns_own.schema["description_md"]
    assert own.schema["pattern"] == campaigns_own.schema["pattern"]
    assert own.value == campaigns_own.value


def test_many_senders_make_no_long_explanation(include: Path) -> None:
    row = '[[senders]]\nchannel = "messaging:sms"\naddress = "+120255501{:02}"\nlabel = "Shop"\n'
    (include / "senders.toml").write_text("".join(row.format(number) for number in range(12)))
    sender = campaign_form()["sender"].schema
    assert len(sender["examples"]) == 12
    assert sender["description_md"].endswith("\n- 2 more in **include/senders.toml**")


def test_a_template_that_is_added_is_there_at_the_next_parse(include: Path) -> None:
    campaign_form()
    (include / "templates" / "farewell").mkdir()
    (include / "templates" / "farewell" / "en.j2").write_text("Bye")
    assert campaign_form()["template"].schema["enum"] == ["farewell", "welcome"]


def test_where_nothing_exists_everything_may_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(tmp_path / "nowhere"))
    form = campaign_form()
    assert form["template"].resolve("anything") == "anything"
    for name in ("template", "audience", "sender", "default_language"):
        assert not {"enum", "examples"} & set(form[name].schema)


@pytest.mark.parametrize("text", ["[[senders]", "senders = 1", "\udcff"])
def test_a_broken_list_of_senders_leaves_a_field_to_type_in(include: Path, text: str) -> None:
    (include / "senders.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    sender = campaign_form()["sender"]
    assert "examples" not in sender.schema
    assert sender.resolve("+12025550199") == "+12025550199"


def test_a_preset_template_that_does_not_exist_breaks_no_dag_file(include: Path) -> None:
    form = campaign_form(OTHERWISE)
    assert form["template"].resolve() == "farewell"


def test_the_test_presets_every_field_otherwise() -> None:
    # What the next test rests on: a field that is added has to be added there too.
    assert [name for name in NAMES if getattr(CAMPAIGN, name) == getattr(OTHERWISE, name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_campaign_file_presets_each_field_of_the_form(include: Path, name: str) -> None:
    shown = campaign_form(replace(CAMPAIGN, **{name: getattr(OTHERWISE, name)}))[name].resolve()
    preset = getattr(OTHERWISE, name)
    assert shown == (preset.isoformat() if isinstance(preset, datetime) else preset)


@pytest.mark.parametrize("campaign", [CAMPAIGN, OTHERWISE], ids=["sparse", "full"])
def test_a_form_that_nobody_changes_is_the_campaign_file(include: Path, campaign: Campaign) -> None:
    form = campaign_form(campaign)
    assert campaign_of({name: param.resolve() for name, param in form.items()}) == campaign


@settings(max_examples=30)
@given(
    st.builds(
        replace,
        st.just(CAMPAIGN),
        purpose=st.from_regex(r"\A[a-z0-9_é][a-z0-9_.é-]{0,63}\Z"),
        hold_out_share=st.floats(0, 1, exclude_max=True),
        deadline=st.none() | st.datetimes(timezones=st.just(UTC)),
        batch_size=st.integers(1, 100_000),
        recipient_cap_days=st.integers(1, 366),
    )
)
def test_what_a_campaign_allows_the_form_takes(campaign: Campaign) -> None:
    form = campaign_form(campaign)
    assert campaign_of({name: param.resolve() for name, param in form.items()}) == campaign


def test_dangerous_switches_are_safe_until_somebody_says_otherwise() -> None:
    by_hand, scheduled = values(campaign_form()), values(campaign_form(CAMPAIGN, live=True))
    assert (by_hand["dry_run"], by_hand["require_approval"]) == (True, True)
    assert (scheduled["dry_run"], scheduled["require_approval"]) == (False, True)
    assert not by_hand["use_active_conversation"]
    unasked = values(campaign_form(CAMPAIGN, live=True, require_approval=False))
    assert not unasked["require_approval"]


@pytest.mark.parametrize("says", [{}, {"require_approval": False}], ids=["nothing", "unasked"])
def test_a_scheduled_campaign_file_asks_unless_its_owner_says_otherwise(
    says: dict[str, Any],
) -> None:
    dag = campaign_dag("spring", doc_md=None, campaign=CAMPAIGN, schedule="@daily", **says)
    assert dag.params["require_approval"] is says.get("require_approval", True)
    assert dag.params["dry_run"] is False


def test_an_approval_is_preset_too() -> None:
    form = values(campaign_form(CAMPAIGN, approval_by_other=True, approval_hours=2))
    assert (form["approval_by_other"], form["approval_hours"]) == (True, 2)


def test_the_labels_are_the_names_that_errors_use() -> None:
    labels = {name: param.schema["title"] for name, param in campaign_form().items()}
    assert labels["campaign_id"] == "Campaign id"
    assert {n for n, label in labels.items() if label.lower().replace(" ", "_") != n} == set()


def test_no_explanation_is_a_wall_of_text() -> None:
    long = {
        name: len(text)
        for name, param in campaign_form().items()
        if len(text := param.schema["description_md"].partition("\n")[0]) > 200
    }
    assert long == {}


def test_each_channel_has_a_word_for_people() -> None:
    assert set(CHANNEL_WORDS) == set(CHANNELS)
