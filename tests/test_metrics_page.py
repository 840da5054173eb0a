"""docs/metrics.md lists the metrics that there are, as the table in the code describes them."""

from __future__ import annotations

import re
from pathlib import Path

from genesys_cloud.outbound.stats import Metric

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"


def test_the_page_lists_every_metric_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(genesys\.[a-z_.]+)` \| (\w+) \| (\w+) \| (.+) \|$", page, re.M)

    assert rows == [tuple(metric.value) for metric in Metric]


def test_whatever_the_page_speaks_of_exists() -> None:
    names = {metric.value.name for metric in Metric}
    spoken = set(re.findall(r"genesys\.[a-z_]+\.[a-z_]+", PAGE.read_text(encoding="utf-8")))

    assert spoken == names


def test_names_are_such_as_every_backend_takes() -> None:
    for metric in Metric:
        assert re.fullmatch(r"genesys(\.[a-z_]+){2}", metric.value.name)
