from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from genesys_cloud.ledger import audit, people, suppressions
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.suppressions import Suppression
from tests.ledger.chains import NOW

SMS, WHATSAPP = "messaging:sms", "messaging:whatsapp"
ADDRESS = "+12025550123"


def digest(ledger: Ledger, channel: str = SMS, address: str = ADDRESS) -> str:
    with ledger.write() as connection:
        return people.address_digest(connection, channel, address)


def keys(ledger: Ledger) -> dict[str, str]:
    with ledger.read() as connection:
        return {
            row.address_key: row.digest_key for row in connection.execute(select(people.people))
        }


def test_a_digest_is_the_hmac_under_the_persons_own_random_key(ledger: Ledger) -> None:
    found = digest(ledger)
    (key,) = keys(ledger).values()
    assert len(bytes.fromhex(key)) == 32
    assert found == hmac.new(bytes.fromhex(key), ADDRESS.encode(), "sha256").hexdigest()
    assert found != hashlib.sha256(ADDRESS.encode()).hexdigest()
    assert found != address_key(SMS, ADDRESS)


def test_one_address_has_one_digest_and_another_another(ledger: Ledger) -> None:
    assert digest(ledger) == digest(ledger)
    others = {digest(ledger, SMS, "+12025550124"), digest(ledger, WHATSAPP, f"whatsapp:{ADDRESS}")}
    assert len({digest(ledger), *others}) == 3


def test_many_are_made_at_once_in_their_order(ledger: Ledger) -> None:
    asked = [(SMS, f"+1202555{number:04}") for number in (*range(1_200), 5, 5)]
    with ledger.write() as connection:
        made = people.address_digests(connection, asked)
    assert made == [digest(ledger, *one) for one in asked[:3]] + made[3:]
    assert made[-1] == made[-2] == made[5]
    assert len(set(made)) == len(keys(ledger)) == 1_200


def test_who_only_asks_makes_no_key(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert people.known_digests(connection, [(SMS, ADDRESS)]) == []
    made = digest(ledger)
    with ledger.read() as connection:
        asked = [(SMS, ADDRESS), (SMS, "+12025550199")]
        assert people.known_digests(connection, asked) == [made]


def test_whoever_is_forgotten_gets_another_digest_and_the_old_says_nothing(ledger: Ledger) -> None:
    old = digest(ledger)
    with ledger.write() as connection:
        assert people.forget(connection, SMS, ADDRESS)
        assert not people.forget(connection, SMS, ADDRESS)
    assert keys(ledger) == {}
    assert digest(ledger) != old


def test_a_key_is_made_only_with_the_entry_that_needs_it(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.write() as connection:
            people.address_digest(connection, SMS, ADDRESS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert keys(ledger) == {}


def test_two_at_once_agree_on_one_key(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: digest(ledger), range(16)))) == 1


def test_the_trail_of_a_suppression_shows_the_keyed_digest_alone(ledger: Ledger) -> None:
    entries = [
        Suppression(channel=SMS, address=f"+1202555{number:04}", reason="opted_out", source="test")
        for number in range(1_003)
    ]
    assert suppressions.add(ledger, entries, actor="cli:ann", now=NOW).added == 1_003
    assert suppressions.remove(ledger, entries[7], actor="cli:bob", now=NOW)
    *added, removed = audit.read(ledger)
    shown = [row["details"]["address_digest"] for row in added]
    assert shown == [digest(ledger, SMS, entry.address) for entry in entries[:2]] + shown[2:]
    assert len(set(shown)) == 1_003
    assert not {address_key(SMS, entry.address) for entry in entries} & set(shown)
    assert (removed["actor"], removed["details"]["address_digest"]) == ("cli:bob", shown[7])
    assert audit.verify(ledger).ok
