from __future__ import annotations

import pytest

from genesys_cloud.api.regions import REGIONS, hosts
from genesys_cloud.errors import ConnectionSettingsError


def test_every_region_has_an_api_and_a_login_host() -> None:
    assert len(REGIONS) == 18
    for region, domain in REGIONS.items():
        assert hosts(region) == (f"https://api.{domain}", f"https://login.{domain}")


@pytest.mark.parametrize("spelling", ["ap_southeast_2", "AP-Southeast-2", " ap-southeast-2 "])
def test_a_region_may_be_spelled_as_the_sdk_does(spelling: str) -> None:
    assert hosts(spelling).api == "https://api.mypurecloud.com.au"


def test_an_unknown_region_is_named_beside_all_that_there_are() -> None:
    with pytest.raises(ConnectionSettingsError) as caught:
        hosts("us-east-9")
    assert "'us-east-9'" in str(caught.value)
    assert all(region in str(caught.value) for region in REGIONS)


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:8900", "https://proxy.example/genesys", "http://[::1]:8900"]
)
def test_a_base_url_serves_login_and_api_whatever_the_region(base: str) -> None:
    assert hosts("no such region", base + "/") == (base, base)


@pytest.mark.parametrize(
    "base",
    [
        "127.0.0.1:8900",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:99999",
        "http://host:0",
        "http://ho st",
        "http://*",
        "http://host?x=1",
        "http://host#x",
        "http://hóst",
        "http://host\nX-Evil: 1",
        "https://user:hunter2@host",
        "http://[::1",
    ],
)
def test_what_is_no_base_url_is_refused_and_not_repeated(base: str) -> None:
    with pytest.raises(ConnectionSettingsError) as caught:
        hosts("us-east-1", base)
    assert "hunter2" not in str(caught.value)
