"""What Genesys says of an approved template; asking for it is in tests/workflows/test_preparing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.profiles.agentless_responses import parse_response, response_path
from genesys_cloud.outbound.response_check import ResponseDefinition

BODY: dict[str, Any] = {
    "id": "r-1",
    "name": "order",
    "responseType": "MessagingTemplate",
    "substitutions": [
        {"id": "1", "description": "First name"},
        {"id": "2", "defaultValue": "soon"},
        {"id": "3", "defaultValue": " "},
    ],
    "messagingTemplate": {
        "whatsApp": {"name": "order", "language": "en_US", "templateStatus": "APPROVED"}
    },
}


def test_a_response_is_read_with_its_substitutions() -> None:
    assert parse_response(BODY, "r-1") == ResponseDefinition(
        response_id="r-1",
        name="order",
        kind="MessagingTemplate",
        required=frozenset({"1", "3"}),  # a blank default fills nothing in
        optional=frozenset({"2"}),
        language="en_US",
        status="APPROVED",
    )


@pytest.mark.parametrize("missing", ["substitutions", "messagingTemplate", "responseType"])
def test_what_is_not_said_is_none(missing: str) -> None:
    found = parse_response({name: value for name, value in BODY.items() if name != missing}, "r-1")
    assert (found.kind == "unknown") == (missing == "responseType")
    assert (found.status is None) == (missing == "messagingTemplate")
    assert (found.required | found.optional == set()) == (missing == "substitutions")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*BODY, "id"]), inner),
    max_leaves=10,
)


@given(JSON)
def test_any_other_body_is_a_response_that_can_t_be_sent_or_one_of_no_substitution(
    body: object,
) -> None:
    found = parse_response(body, "r-1")
    assert found.response_id == "r-1"
    assert all(isinstance(name, str) and name for name in found.required | found.optional)


def test_an_id_can_t_lead_to_another_path() -> None:
    assert response_path("../tokens?x").endswith("/responses/..%2Ftokens%3Fx")
