"""Checks of the connection: who we are for Genesys Cloud, what we may do, how fast."""

from __future__ import annotations

from genesys_cloud.api.profiles.agentless import TO_SEND
from genesys_cloud.api.rights import Right
from genesys_cloud.errors import ApiError, PermissionDeniedError
from genesys_cloud.hooks.genesys_cloud import find_connection
from genesys_cloud.workflows.doctor.checkup import Found, Scene, info, warning, wrong

MOST_SKEW_S = 60.0
"""Seconds that the host's clock and ours may disagree: the margin that a token's end is given."""


def connection(scene: Scene) -> str:
    """Find the account that the connection, or else the environment, describes."""
    found, hosts = find_connection(scene.conn_id), scene.client.session.hosts
    source = "the environment" if found is None else f"Airflow's connection {scene.conn_id!r}"
    return f"{source}; API at {hosts.api}, login at {hosts.login}"


def token(scene: Scene) -> str:
    """Fetch a token, which shows that the credentials are right."""
    new = scene.client.renew()
    return f"a new one from {scene.client.session.auth.login_url}, good for {new.seconds_left} s"


def profile(scene: Scene) -> str:
    """Find out which contract the host serves."""
    return f"{scene.client.profile}: {scene.client.profile_reason}"


def rights(scene: Scene) -> str | Found:
    """Compare the scopes that were granted with those that are needed.

    Scopes are the tutorial's; on the real platform the rights are those of the client's roles.
    """
    if scene.client.profile != "messaging":
        return info(f"the client's roles decide; {TO_SEND} can't be tried without sending")
    if missing := " ".join(scene.client.authenticate().missing_scopes):
        return wrong(
            f"The OAuth client was not granted the scopes {missing}. Add them to the client in "
            "the Admin Console, or what they are for will be refused."
        )
    return scene.client.rights


def right(one: Right, scene: Scene) -> str | Found | None:
    """Try a right by a read that finds nothing or little; None where the profile has no such."""
    if scene.client.profile != one.profile:
        return None
    try:
        one.read(scene.client.session)
    except PermissionDeniedError:
        return _lacking(one, f"the OAuth client lacks {one.name}. {one.cure}")
    except ApiError as error:
        return _lacking(one, str(error))
    return f"granted: {one.name}"


def limit(scene: Scene) -> str:
    """Say how many requests a minute we may make, and who says so."""
    return f"{scene.client.requests_per_minute} requests a minute: {scene.client.limit_source}"


def clock(scene: Scene) -> str | Found:
    """Compare this machine's clock with the host's."""
    lead = scene.client.clock_lead_s()
    if lead is None:
        return info("not compared: the host does not say what time it is")
    if abs(lead) > MOST_SKEW_S:
        direction = "ahead of" if lead > 0 else "behind"
        return wrong(
            f"This machine's clock is {abs(lead):,.0f} s {direction} Genesys Cloud's. Let NTP set "
            "it: quiet hours, the ends of tokens and the days of reports go by it."
        )
    return f"within {MOST_SKEW_S:g} s of Genesys Cloud's"


def _lacking(one: Right, why: str) -> Found:
    return wrong(why) if one.essential else warning(f"only {one.only_for} needs it: {why}")
