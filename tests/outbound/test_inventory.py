"""What an include folder holds by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.inventory import (
    MOST_OFFERED,
    audience_names,
    nearest,
    template_languages,
    template_names,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with every kind of thing in it."""
    for name in (
        *("welcome/en.j2", "welcome/es.sms.j2", "approved/pt-BR.whatsapp.toml", "notes/README.md"),
        *("../odd name/fr.j2", "odd name/fr.j2", ".hidden/de.j2"),
    ):
        (tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / name).write_text("Hi")
    (tmp_path / "t" / "greetings.toml").write_text("")
    return tmp_path / "t"


def test_a_template_is_a_folder_with_a_text_in_it(root: Path) -> None:
    assert template_names(root) == ["approved", "welcome"]
    assert template_languages(root) == ["en", "es", "pt-BR"]


def test_where_nothing_is_nothing_is_offered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "nowhere", tmp_path / "file"):
        assert template_names(place) == template_languages(place) == audience_names(place) == []


def test_contact_lists_are_known_by_their_endings(tmp_path: Path) -> None:
    for name in ("b.csv", "a.parquet", "readme.md", ".b.csv", "line\nbreak.csv", "bad\udcff.csv"):
        (tmp_path / name).write_text("")
    assert audience_names(tmp_path) == ["a.parquet", "b.csv"]


def test_a_form_offers_no_more_lists_than_people_can_read(tmp_path: Path) -> None:
    for number in range(MOST_OFFERED + 5):
        (tmp_path / f"{number:04}.csv").touch()
    assert len(audience_names(tmp_path)) == MOST_OFFERED


@pytest.mark.parametrize(
    ("wanted", "names", "sentence"),
    [
        ("order.csv", ["appointments.csv", "orders.csv"], "orders.csv, appointments.csv"),
        ("anything", [], "none"),
        ("3", [str(n) for n in range(10, 25)], "23, 13, 24, 22, 21, 20, 19, 18, 17, 16 and 5 more"),
    ],
)
def test_the_nearest_name_comes_first(wanted: str, names: list[str], sentence: str) -> None:
    assert nearest(wanted, names) == sentence


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=8), max_size=10))
def test_no_name_gets_lost(wanted: str, names: list[str]) -> None:
    assert sorted(nearest(wanted, names)) == sorted(", ".join(names) or "none")
