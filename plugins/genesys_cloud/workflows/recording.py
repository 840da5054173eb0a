"""The ledger as a task opens it that records what became of messages."""

from __future__ import annotations

from genesys_cloud.hooks.genesys_cloud import ledger_url
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.policies import read_failures
from genesys_cloud.settings import Settings


def recording_ledger() -> Ledger:
    """Open the ledger; what fails suppresses its recipient as the project's policy says."""
    failures = read_failures(Settings.from_environment().include_dir)
    return open_ledger(ledger_url(), failures=failures)
