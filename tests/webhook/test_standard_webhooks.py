from __future__ import annotations

import base64

import pytest

from genesys_cloud.webhook import standard_webhooks
from genesys_cloud.webhook.signature import genuine, sign

# The example of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, STAMP = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = float(STAMP)


def headers(**changes: str | None) -> dict[bytes, bytes]:
    """Return the example's headers as ASGI has them, changed; None leaves one out."""
    words: dict[str, str | None] = {"id": ID, "timestamp": str(STAMP), "signature": SIGNATURE}
    words |= changes
    return {f"webhook-{name}".encode(): word.encode() for name, word in words.items() if word}


def fits(
    given: dict[bytes, bytes],
    *,
    body: bytes = BODY,
    secrets: tuple[str, ...] = (SECRET,),
    now: float = NOW,
    tolerance_s: float = 300,
) -> bool:
    return genuine(given, body, secrets, now=now, tolerance_s=tolerance_s)


def test_the_specifications_example_is_reproduced() -> None:
    made = standard_webhooks.sign(BODY, SECRET, message_id=ID, timestamp=STAMP)
    assert made == {
        "webhook-id": ID,
        "webhook-timestamp": str(STAMP),
        "webhook-signature": SIGNATURE,
    }
    assert fits(headers())


def test_one_of_several_signatures_is_enough() -> None:
    others = f"v1a,AAAA v1,{base64.b64encode(bytes(32)).decode()}"
    assert fits(headers(signature=f"{others} {SIGNATURE}"))
    assert fits(headers(), secrets=("whsec_AAAA", SECRET))
    assert not fits(headers(signature=others))


@pytest.mark.parametrize("off_s", [-300, 0, 300])
def test_a_time_within_the_tolerance_is_taken(off_s: int) -> None:
    assert fits(headers(), now=NOW + off_s)


@pytest.mark.parametrize("off_s", [-301, 301])
def test_a_time_outside_of_the_tolerance_is_not_unless_any_is(off_s: int) -> None:
    assert not fits(headers(), now=NOW + off_s)
    assert fits(headers(), now=NOW + off_s, tolerance_s=0)


@pytest.mark.parametrize(
    "given",
    [
        headers(id=None), headers(timestamp=None), headers(id="another"),
        headers(timestamp=str(STAMP + 1)), headers(timestamp="²"), headers(timestamp="-1"),
        headers(timestamp="9" * 5_000), headers(timestamp="soon"), headers(signature="v1,"),
        headers(signature="v1"), headers(signature=SIGNATURE.removeprefix("v1,")),
        headers(signature=SIGNATURE.replace("v1,", "v1a,")), headers(signature="v1,ü"),
    ],
    ids=range(13),
)  # fmt: skip
def test_what_does_not_fit_is_refused(given: dict[bytes, bytes]) -> None:
    assert not fits(given, tolerance_s=0)


def test_another_body_or_secret_is_refused() -> None:
    assert not fits(headers(), body=BODY + b" ")
    assert not fits(headers(), secrets=("whsec_AAAA",))
    assert not fits(headers(), secrets=())


def test_a_secret_that_is_no_base64_is_taken_as_it_stands() -> None:
    for secret in ("plain-secret", "whsec_not base64!"):
        made = standard_webhooks.sign(BODY, secret, message_id=ID, timestamp=STAMP)
        given = {name.encode(): word.encode() for name, word in made.items()}
        assert fits(given, secrets=(secret,))


def test_who_leaves_the_time_out_does_not_get_around_it() -> None:
    hub = {b"x-hub-signature-256": sign(BODY, SECRET).encode()}
    assert fits(hub)
    assert not fits(headers() | hub, now=NOW + 301)
