"""Do-not-contact lists: numbers go in and out, and the list comes out as a file."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.simulator.platform_caller import DNC, Platform

NUMBERS = ["+13175550101", "+13175550102"]


def a_list(platform: Platform, name: str = "stop", numbers: list[str] = NUMBERS) -> str:
    """Make a list and return its path."""
    made = platform.admin("dnclists", {"name": name, "phoneNumbers": numbers})
    return f"{DNC}/{made['id']}"


def exported(platform: Platform, path: str) -> list[str]:
    """Return the lines of a list's file."""
    assert platform.post(f"{path}/export", None).status_code == 200
    uri = platform.get(f"{path}/export").json()["uri"]
    assert uri.startswith(f"{platform.simulator.url}/api/v2/downloads/")
    return platform.get(uri.removeprefix(platform.simulator.url)).text.splitlines()


def test_lists_are_found_by_page_name_and_id(platform: Platform) -> None:
    path = a_list(platform)
    a_list(platform, "complaints", [])
    listed = platform.get(DNC).json()
    assert [each["name"] for each in listed["entities"]] == ["stop", "complaints"]
    found = platform.get(f"{DNC}?name=STOP").json()["entities"]
    assert found == [platform.get(path).json()]
    assert (found[0]["size"], found[0]["dncSourceType"]) == (2, "rds")
    assert platform.get(f"{DNC}/nowhere").status_code == 404


def test_a_list_can_be_made_by_the_api_too(platform: Platform) -> None:
    made = platform.post(DNC, {"name": "ours", "dncSourceType": "rds"}).json()
    assert platform.get(f"{DNC}/{made['id']}").json()["size"] == 0
    assert platform.post(DNC, {"name": "theirs", "dncSourceType": "gryphon"}).status_code == 400
    assert platform.post(DNC, {"dncSourceType": "rds"}).status_code == 400


def test_a_list_is_exported_to_a_file_that_needs_a_token(platform: Platform) -> None:
    path = a_list(platform)
    assert platform.get(f"{path}/export").status_code == 404
    assert exported(platform, path) == ["phone,expirationDateTime", *(f"{n}," for n in NUMBERS)]
    uri = platform.get(f"{path}/export").json()["uri"]
    assert requests.get(uri, timeout=60).status_code == 401
    assert platform.get("/api/v2/downloads/nowhere").status_code == 404


def test_an_export_is_the_list_as_it_was(platform: Platform) -> None:
    path = a_list(platform)
    platform.post(f"{path}/export", None)
    platform.post(f"{path}/phonenumbers", ["+13175550103"])
    uri = platform.get(f"{path}/export").json()["uri"].removeprefix(platform.simulator.url)
    assert "+13175550103" not in platform.get(uri).text
    assert "+13175550103," in exported(platform, path)


def test_numbers_are_added_for_good_or_for_a_while_and_removed(platform: Platform) -> None:
    path = a_list(platform)
    assert platform.post(f"{path}/phonenumbers", ["+13175550103"]).status_code == 204
    until = {"phoneNumbers": ["+13175550104"], "expirationDateTime": "2030-01-01T00:00Z"}
    removed = {"action": "Remove", "phoneNumbers": [NUMBERS[0], "+13175559999"]}
    for body in ({"action": "Add"} | until, removed):
        assert platform.call("PATCH", f"{path}/phonenumbers", json=body).status_code == 204
    assert exported(platform, path)[1:] == [
        "+13175550102,",
        "+13175550103,",
        "+13175550104,2030-01-01T00:00Z",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "Add"},
        {"action": "Forget", "phoneNumbers": NUMBERS},
        {"action": "Add", "phoneNumbers": [5]},
        {"action": "Add", "phoneNumbers": NUMBERS, "expirationDateTime": "tomorrow"},
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(
    platform: Platform, body: dict[str, Any]
) -> None:
    path = a_list(platform)
    assert platform.call("PATCH", f"{path}/phonenumbers", json=body).status_code == 400
    assert platform.get(path).json()["size"] == 2


def test_faults_strike_the_lists(platform: Platform) -> None:
    platform.simulator.faults([{"on": "dnc", "fault": "status", "times": 1}])
    assert platform.get(DNC).status_code == 503
    assert platform.get(DNC).status_code == 200
