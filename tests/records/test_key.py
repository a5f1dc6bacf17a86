"""Which key signs, and which keys the world is shown."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.records import key as keys
from kpass_vc.records.key import SigningKey
from tests.world import World


def add(world: World, seed: int, state: str, days: int) -> SigningKey:
    """A further Ed25519 key of sobona, active from some days ahead."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = PublicKey(Algorithm.ED25519, private.public_key().public_bytes_raw())
    owner = world.organization("sobona")
    row = SigningKey(
        id=f"k{seed}",
        organization_id=owner.id,
        did=owner.did,
        algorithm="Ed25519",
        multikey=public.multikey(),
        verification_method=f"{owner.did}#{public.multikey()}",
        uri=f"file:k{seed}",
        state=state,
        active_from=world.clock() + timedelta(days=days),
        active_until=None,
        compromised_at=None,
    )
    with world.writing() as session:
        session.add(row)
    return row


def test_the_newest_active_key_of_the_kind_signs(world: World) -> None:
    owner = world.organization("sobona")
    newest = add(world, 1, "active", 2)
    add(world, 2, "active", 1)
    add(world, 3, "retired", 5)
    add(world, 4, "compromised", 6)

    with world.reading() as session:
        found = keys.active(
            session, organization_id=owner.id, did=owner.did, algorithm=Algorithm.ED25519
        )
        other = keys.active(
            session, organization_id=owner.id, did=owner.did, algorithm=Algorithm.P256
        )

    assert found is not None
    assert other is not None
    assert found.id == newest.id
    assert found.public_key.multikey() == newest.multikey
    assert other.algorithm == "P-256"


def test_who_only_looks_at_the_active_key_waits_for_nobody_who_changes_it(world: World) -> None:
    owner = world.organization("sobona")

    with world.writing() as changing, world.reading() as session:
        keys.of_organization(changing, organization_id=owner.id, for_update=True)
        if world.env.engine.dialect.name == "postgresql":
            session.execute(text("SET LOCAL lock_timeout = '1s'"))
        found = keys.active(
            session, organization_id=owner.id, did=owner.did, algorithm=Algorithm.ED25519
        )

    assert found is not None


def test_another_organisations_key_never_signs(world: World) -> None:
    first, second = world.organization("sobona"), world.organization("annan")

    with world.reading() as session:
        found = [
            keys.active(session, organization_id=owner, did=did, algorithm=Algorithm.ED25519)
            for owner, did in (
                (first.id, first.did),
                (second.id, second.did),
                ("nobody", first.did),
                (second.id, first.did),
            )
        ]

    assert found[0] is not None
    assert found[1] is not None
    assert found[0].id != found[1].id
    assert found[2] is found[3] is None


def test_active_keys_are_shown_first_then_retired_ones_and_no_compromised_one(world: World) -> None:
    owner = world.organization("sobona")
    add(world, 1, "retired", 9)
    add(world, 2, "compromised", 9)
    add(world, 3, "active", 9)

    with world.reading() as session:
        found = keys.published(session, did=owner.did, organization_id=owner.id)

    assert [(row.state, row.algorithm) for row in found] == [
        ("active", "Ed25519"),
        ("active", "Ed25519"),
        ("active", "P-256"),
        ("retired", "Ed25519"),
    ]
    assert found[0].id == "k3"


def test_a_key_belongs_to_one_record(world: World) -> None:
    add(world, 1, "active", 0)

    with pytest.raises(IntegrityError):
        add(world, 1, "active", 0)
