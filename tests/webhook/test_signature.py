from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.webhook.signature import sign, verify

# Published example of the Open Messaging webhook, checked against a second implementation.
BODY = b'{"id":"c327c2078ca056db130c55ce648d9fa2","type":"Text","text":"Hello World"}'
SECRET = "at-least-16-characters-long"
BASE64 = "sha256=qjUpGIKhsbW8iOXD2KKc28JOWsj5TdsclMRPWI2puJ4="
HEX = "sha256=aa35291882a1b1b5bc88e5c3d8a29cdbc24e5ac8f94ddb1c94c44f588da9b89e"


def test_the_published_example_is_reproduced() -> None:
    assert sign(BODY, SECRET) == BASE64


@pytest.mark.parametrize("header", [BASE64, HEX, HEX.replace("aa35", "AA35")])
def test_base64_and_hex_are_accepted(header: str) -> None:
    assert verify(BODY, header, [SECRET])


def test_while_rotating_either_secret_is_accepted() -> None:
    assert verify(BODY, BASE64, ["the-new-one", SECRET])
    assert verify(BODY, BASE64, [SECRET, "the-new-one"])


@pytest.mark.parametrize(
    "header",
    [None, "", "sha256=", "sha1=abc", BASE64.removeprefix("sha256="), "sha256=!!!", BASE64 + "A",
     "sha256=" + "g" * 64, "sha256=ü"],
)  # fmt: skip
def test_a_header_that_is_no_signature_is_refused(header: str | None) -> None:
    assert not verify(BODY, header, [SECRET])


def test_nothing_is_accepted_without_a_secret() -> None:
    assert not verify(BODY, BASE64, [])


@given(st.binary(), st.binary(), st.text(min_size=1), st.text(min_size=1))
def test_only_the_same_body_and_secret_fit(
    body: bytes, other: bytes, secret: str, other_secret: str
) -> None:
    secret, other_secret = (
        word.encode(errors="ignore").decode() for word in (secret, other_secret)
    )
    header = sign(body, secret)
    assert verify(body, header, [secret])
    assert verify(other, header, [other_secret]) == (body == other and secret == other_secret)
