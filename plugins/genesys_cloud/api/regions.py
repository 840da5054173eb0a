"""Where Genesys Cloud is: the hosts of each region."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from genesys_cloud.errors import ConnectionSettingsError

# Genesys' own list, complete: the official SDK's PureCloudRegionHosts.
REGIONS = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",  # FedRAMP
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",  # EU sovereign cloud
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
}


class Hosts(NamedTuple):
    """Base URLs without a slash at the end."""

    api: str
    login: str


def hosts(region: str, base_url: str | None = None) -> Hosts:
    """Return the hosts of a region, or the one host that serves in its place.

    Raises ConnectionSettingsError for a region that is not in the table, whose ids may also be
    spelled with underscores as in the SDK, and for a base URL that is not one.
    """
    if base_url:
        base = _checked(base_url)
        return Hosts(api=base, login=base)
    domain = REGIONS.get(region.strip().lower().replace("_", "-"))
    if domain is None:
        raise ConnectionSettingsError(
            f"Genesys Cloud has no region {region!r}. Use one of: {', '.join(REGIONS)}."
        )
    return Hosts(api=f"https://api.{domain}", login=f"https://login.{domain}")


def _checked(base_url: str) -> str:
    base = base_url.strip().rstrip("/")
    if not _is_base(base):
        # The value itself stays out of the message: user:password may be part of it.
        raise ConnectionSettingsError(
            "The host of the connection (or GENESYS_BASE_URL) is not a base URL. Write scheme, "
            "host and port alone, such as http://127.0.0.1:8900, or leave it empty and set the "
            "region."
        )
    return base


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable_port = parts.port != 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(' ?#@*\\"<>')
    return plain and usable_port and parts.scheme in {"http", "https"} and bool(parts.hostname)
