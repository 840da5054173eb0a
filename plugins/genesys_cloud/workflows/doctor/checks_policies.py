"""Checks of the rules that people write: policies, senders, who is told what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from genesys_cloud.errors import CampaignError
from genesys_cloud.ledger.retention_policy import policy_file
from genesys_cloud.ledger.retention_policy import read_policy as read_retention
from genesys_cloud.policies import FAILURES, REVOCATION, read_failures, read_revocation
from genesys_cloud.webhook import opt_out_words
from genesys_cloud.workflows.doctor.checkup import Found, Scene, first_of, info, warning, wrong
from genesys_cloud.workflows.form.offers import read_senders
from genesys_cloud.workflows.holding import read_quiet_hours
from genesys_cloud.workflows.notices import rules
from genesys_cloud.workflows.previewing import read_prices


def policies(scene: Scene) -> str | Found:
    """Read every policy, and look for files that nobody reads."""
    include = scene.settings.include_dir
    unclear: list[str] = []
    for read in POLICIES.values():
        try:
            read(include)
        except CampaignError as error:
            unclear.append(str(error))
    if unclear:
        return wrong(first_of(unclear, most=len(unclear)))
    written = {path.name for path in (include / "policies").glob("*.toml")}
    if strays := sorted(written - POLICIES.keys() - {rules.FILE}):
        return warning(
            f"Nobody reads {', '.join(strays)} in {include / 'policies'}: is a name misspelt? "
            f"There are {', '.join(POLICIES)} and {rules.FILE}."
        )
    return f"{', '.join(POLICIES)} are clear"


def senders(scene: Scene) -> str | Found:
    """Read the senders that the form offers."""
    if not (found := read_senders(scene.settings.include_dir)):
        return info("include/senders.toml names none, so the form offers none; type them")
    return f"the form offers {len(found)}"


def notifications(scene: Scene) -> str | Found:
    """Make every notifier, and notify nobody."""
    told = rules.read_rules(scene.settings.include_dir)
    for rule in told:
        rule.make()
    if not told:
        return info(f"nobody is told how a campaign ended: {rules.FILE} has no section")
    return f"{', '.join(rule.name for rule in told)} can be made"


POLICIES: Mapping[str, Callable[[Path], object]] = {
    "quiet_hours.toml": read_quiet_hours,
    opt_out_words.FILE: opt_out_words.read_words,
    FAILURES: read_failures,
    REVOCATION: read_revocation,
    "retention.toml": lambda include: read_retention(policy_file(include)),
    "prices.toml": read_prices,
}
"""Who reads which file of include/policies; a folder without one has the project's own."""
