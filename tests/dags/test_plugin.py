"""What the plugin and the provider give to Airflow: a pool, the receiver, a connection form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from genesys_cloud.api import regions
from genesys_cloud.provider_info import REGIONS, get_provider_info
from genesys_cloud.webhook.signature import HEADER, sign
from tests.webhook.receiver import SECRET, event_body

EVENTS = "/webhooks/genesys-messaging"


def slots_of_pool() -> int | None:
    """Return the size of the send pool, None where there is none."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from genesys_cloud.workflows.pool import POOL

    with create_session() as session:
        pool = Pool.get_pool(POOL, session=session)
        return None if pool is None else int(pool.slots)


@pytest.fixture
def no_pool(metadata_database: Path) -> Iterator[None]:
    """Take the send pool away."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from genesys_cloud.workflows.pool import POOL

    with create_session() as session:
        session.query(Pool).filter(Pool.pool == POOL).delete()
    yield
    with create_session() as session:
        session.query(Pool).filter(Pool.pool == POOL).delete()


@pytest.mark.usefixtures("no_pool")
def test_a_starting_job_of_airflow_makes_the_pool() -> None:
    from airflow.jobs.job import Job
    from airflow.listeners.listener import get_listener_manager

    from genesys_cloud.workflows import pool

    manager = get_listener_manager()
    assert pool in manager.pm.get_plugins()
    assert slots_of_pool() is None
    manager.hook.on_starting(component=Job())
    assert slots_of_pool() == pool.SLOTS


@pytest.mark.usefixtures("no_pool")
def test_a_pool_that_somebody_sized_keeps_its_size() -> None:
    from airflow.models.pool import Pool

    from genesys_cloud.workflows.pool import POOL, ensure_pool

    Pool.create_or_update_pool(POOL, slots=1, description="", include_deferred=False)
    ensure_pool()
    assert slots_of_pool() == 1


@pytest.mark.usefixtures("no_pool")
def test_a_starting_task_does_not_touch_the_database() -> None:
    from genesys_cloud.workflows.pool import on_starting

    on_starting(component=object())
    assert slots_of_pool() is None


def test_the_pool_is_the_one_that_send_tasks_ask_for() -> None:
    from genesys_cloud.workflows.pool import POOL
    from tests.dags.runs import dag_bag

    pools = {
        dag_id: dag.task_dict["send"].pool
        for dag_id, dag in dag_bag().dags.items()
        if "send" in dag.task_dict
    }
    assert set(pools) >= {"send_campaign", "appointment_reminder", "order_update"}
    assert set(pools.values()) == {POOL}


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, place: Path) -> FastAPI:
    """Return an API server's app with what Airflow found to mount in it."""
    from airflow import plugins_manager

    connection = {
        "conn_type": "genesys_cloud",
        "login": "id",
        "password": "secret",
        "extra": {"webhook_secret": ["the-next-one", SECRET]},
    }
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", json.dumps(connection))
    plugins, errors = plugins_manager._get_plugins()
    assert errors == {}
    (plugin,) = (plugin for plugin in plugins if plugin.name == "genesys_cloud")
    server = FastAPI()
    for app in type(plugin)().fastapi_apps:  # afresh: the app remembers its first configuration
        assert app["name"]
        server.mount(app["url_prefix"], app["app"])
    return server


def post(server: FastAPI, body: bytes, secret: str = SECRET) -> tuple[int, Any]:
    """Post an event as Genesys does, signed."""
    from starlette.testclient import TestClient

    client = TestClient(server, raise_server_exceptions=False)
    answer = client.post(EVENTS, content=body, headers={HEADER: sign(body, secret)})
    return answer.status_code, answer.json()


def test_airflow_mounts_the_receiver(mounted: FastAPI) -> None:
    from starlette.testclient import TestClient

    health = TestClient(mounted).get("/webhooks/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")


def test_the_mounted_receiver_counts_signed_events_once(mounted: FastAPI) -> None:
    body = event_body("e-1", "msg_1", "delivered", "2026-01-01T10:00:00Z")
    assert post(mounted, body) == (200, {"result": "parked"})
    assert post(mounted, body) == (200, {"result": "duplicate"})
    # Both secrets of the connection hold while they are exchanged.
    other = event_body("e-2", "msg_1", "read", "2026-01-01T10:01:00Z")
    assert post(mounted, other, secret="the-next-one") == (200, {"result": "parked"})


def test_the_mounted_receiver_trusts_nobody_else(mounted: FastAPI) -> None:
    body = event_body("e-1", "msg_1", "delivered", "2026-01-01T10:00:00Z")
    status, answer = post(mounted, body, secret="guessed")
    assert status == 401
    assert HEADER in answer["error"]


def test_airflow_offers_the_connection_type_with_its_form() -> None:
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    (offered,) = (
        hook for hook in HookMetaService.hook_meta_data() if hook.connection_type == "genesys_cloud"
    )
    assert offered.hook_name == "Genesys Cloud"
    assert offered.hook_class_name == "genesys_cloud.hooks.genesys_cloud.GenesysCloudHook"
    assert offered.standard_fields is not None
    assert offered.standard_fields.login.title == "OAuth client ID"
    assert offered.standard_fields.port.hidden
    assert offered.extra_fields is not None
    assert set(offered.extra_fields) == set(connection_form()["conn-fields"])


def connection_form() -> dict[str, Any]:
    """Return the connection type's form, as the provider describes it."""
    (described,) = get_provider_info()["connection-types"]
    return dict(described)


def test_the_connection_form_has_the_documented_fields() -> None:
    form = connection_form()
    fields = {name: field["schema"] for name, field in form["conn-fields"].items()}
    assert {name: schema.get("default") for name, schema in fields.items()} == {
        "region": "us-east-1",
        "profile": "auto",
        "requests_per_minute": None,
        "timeout_s": 30,
        "webhook_secret": None,
        "webhook_api_key": None,
    }
    assert fields["profile"]["enum"] == ["auto", "messaging", "agentless"]
    assert fields["webhook_secret"]["format"] == "password"
    assert form["ui-field-behaviour"]["hidden-fields"] == ["port", "schema"]
    assert set(form["ui-field-behaviour"]["relabeling"]) == {"login", "password", "host"}
    assert all(field["label"] and field["description"] for field in form["conn-fields"].values())


def test_the_regions_of_the_form_are_those_of_the_api() -> None:
    assert connection_form()["conn-fields"]["region"]["schema"]["enum"] == list(REGIONS)
    assert tuple(regions.REGIONS) == REGIONS
    assert len(REGIONS) == 18


@pytest.mark.usefixtures("metadata_database")
def test_only_our_connections_are_stored_with_the_port_that_the_test_button_sends() -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import event

    from genesys_cloud.workflows import stored_connections

    stored_connections.store_port_zero()
    stored_connections.store_port_zero()  # however often Airflow asks for the plugin's apps
    try:
        with create_session() as session:
            session.add(Connection(conn_id="ours", conn_type="genesys_cloud", host="http://x"))
            session.add(Connection(conn_id="with_port", conn_type="genesys_cloud", port=8900))
            session.add(Connection(conn_id="theirs", conn_type="http", host="http://x"))
        with create_session() as session:
            names = ("ours", "with_port", "theirs")
            found = session.query(Connection).filter(Connection.conn_id.in_(names))
            assert {one.conn_id: one.port for one in found} == {
                "ours": 0,
                "with_port": 8900,
                "theirs": None,
            }
            found.delete()
    finally:
        for moment in ("before_insert", "before_update"):
            event.remove(Connection, moment, stored_connections._fill_port)


def test_the_form_is_valid_by_airflows_own_schema() -> None:
    import airflow
    import jsonschema

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)
