"""Errors as people read them in Airflow's log page, which cuts long lines."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from genesys_cloud.errors import CampaignError

log = logging.getLogger(__name__)

COLUMNS = 90


@contextmanager
def told_plainly() -> Iterator[None]:
    """Print the sentence of an error that is raised within, on lines that fit the page."""
    try:
        yield
    except CampaignError as error:
        log.error("nothing was planned:\n%s", textwrap.fill(str(error), COLUMNS))
        raise
