"""The receiver against its own OpenAPI document, asked what nobody would think of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from genesys_cloud.webhook.app import create_app
from genesys_cloud.webhook.openapi import EVENTS, HEALTH
from genesys_cloud.webhook.signature import HEADER, sign
from tests.simulator.server import PATIENCE_S
from tests.webhook.asgi import config
from tests.webhook.receiver import SECRET, ReceiverProcess

DOCUMENT = create_app(lambda: config(Path())).openapi()
CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverProcess]:
    url = f"sqlite:///{tmp_path_factory.mktemp('openapi')}/ledger.db"
    with ReceiverProcess(url) as process:
        yield process


@schema.parametrize()
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_is_answered_as_the_document_says(
    case: schemathesis.Case, receiver: ReceiverProcess
) -> None:
    base_url = receiver.url.removesuffix(EVENTS)
    request = requests.Request(**case.as_transport_kwargs(base_url=base_url)).prepare()
    body = request.body or b""
    whole = body.encode() if isinstance(body, str) else body
    if len(whole) % 4:  # and one in four goes as it is, with the signatures that were made up
        request.headers.pop("webhook-signature", None)
        request.headers[HEADER] = sign(whole, SECRET)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.send(request, timeout=PATIENCE_S)
    case.validate_response(answer, checks=CHECKS)


def test_the_document_is_the_apps_and_names_what_the_surface_names() -> None:
    json.dumps(DOCUMENT)
    assert set(DOCUMENT["paths"]) == {EVENTS, HEALTH}
    assert set(DOCUMENT["paths"][EVENTS]["post"]["responses"]) == {
        *("200", "400", "401", "405", "413", "415", "500", "503"),
    }


def test_the_document_is_not_served_in_public(receiver: ReceiverProcess) -> None:
    for path in ("/webhooks/openapi.json", "/webhooks/docs", "/openapi.json", "/docs"):
        answer = requests.get(
            receiver.health.removesuffix("/webhooks/health") + path, timeout=PATIENCE_S
        )
        assert answer.status_code == 404
