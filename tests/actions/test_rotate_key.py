"""Keys change: what was signed before still verifies, what a compromised key signed does not, nothing is torn."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from kpass_vc.actions.confirm import ConfirmationOrder, confirm, confirmed_list
from kpass_vc.actions.issue import Issued
from kpass_vc.actions.publish_status import current
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.actions.verify import own_did_document, verify
from kpass_vc.authz import OPERATOR, ORGANIZATION, Actor
from kpass_vc.crypto.keys import ORGANIZATION_KEYS, Algorithm
from kpass_vc.errors import Conflict, Forbidden, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.key import SigningKey
from kpass_vc.records.organization import OPERATOR_SLUG
from kpass_vc.records.review import Review
from kpass_vc.verification import STANDARD
from tests.actions.test_delegate import changed, granted
from tests.actions.test_people import person
from tests.actions.test_review import decided, handed_in
from tests.sample import outcome
from tests.world import OPERATOR_ACTOR, World, body_of, failed_checks

ISSUER = "stadsnat-exempel"
FORMS = [(language, form) for language in ("sv", "en") for form in ("ldp_vc", "vc-jwt")]


def rotate(world: World, slug: str = ISSUER, *algorithms: Algorithm) -> list[SigningKey]:
    world.clock.advance(seconds=1)
    with world.writing() as session:
        chosen = algorithms or ORGANIZATION_KEYS
        return rotate_keys(world.env, session, OPERATOR_ACTOR, slug, chosen)


def compromise(world: World, name: str, slug: str = ISSUER) -> int:
    world.clock.advance(seconds=1)
    with world.writing() as session:
        return compromise_key(world.env, session, OPERATOR_ACTOR, slug, name).awards


def broken_off(world: World, act: Callable[[Session], object]) -> None:
    """Do it, and fail before the commit."""
    with world.writing() as session:
        act(session)
        raise RuntimeError


def active(world: World, slug: str = ISSUER) -> dict[str, SigningKey]:
    organization = world.organization(slug)
    with world.reading() as session:
        rows = keys.of_organization(session, organization_id=organization.id)
    return {row.algorithm: row for row in rows if row.state == "active"}


def document(world: World, slug: str = ISSUER) -> Any:
    with world.reading() as session:
        found = own_did_document(session, world.organization(slug).did)
    assert found is not None
    return found


def list_methods(world: World, slug: str = ISSUER) -> set[str]:
    """The verification methods that the lists of an organisation are signed with now, both forms."""
    did = world.organization(slug).did
    found = set()
    with world.writing() as session:
        for status_list, _ in status_lists.of_issuer(session, issuer=did):
            publication = current(world.env, session, status_list)
            for form, body in (("ldp_vc", publication.body), ("vc+jwt", publication.body_jwt)):
                found.add(str(FORMATS[form].read(body).proofs[0].verification_method))
    return found


def test_three_rotations_later_the_credentials_of_every_period_verify(world: World) -> None:
    world.published_definition()
    issued = [world.issued()]
    for _ in range(3):
        rotate(world)
        issued.append(world.issued())

    methods = {row.verification_method for one in issued for row in one.representations}
    assert len(methods) == 8
    for one in issued:
        for language, form in FORMS:
            assert failed_checks(world.verified(body_of(one, language, form))) == []


def test_the_new_keys_stand_first_and_the_old_ones_stay_for_assertion(world: World) -> None:
    before = document(world)
    made = rotate(world)
    after = document(world)

    new = [key.verification_method for key in made]
    assert after["assertionMethod"] == [*new, *before["assertionMethod"]]
    assert after["verificationMethod"][2:] == before["verificationMethod"]
    assert not {"expires", "revoked"} & {
        name for method in after["verificationMethod"] for name in method
    }


def test_one_kind_alone_can_be_changed(world: World) -> None:
    before = active(world)
    (made,) = rotate(world, ISSUER, Algorithm.P256)

    after = active(world)
    assert after["Ed25519"].id == before["Ed25519"].id
    assert after["P-256"].id == made.id != before["P-256"].id


def test_the_period_of_a_retired_key_ends_when_the_next_begins(world: World) -> None:
    old = active(world)["Ed25519"]
    made = rotate(world, ISSUER, Algorithm.ED25519)

    with world.reading() as session:
        found = session.get_one(SigningKey, old.id)
        assert (found.state, found.active_until) == ("retired", made[0].active_from)
        assert found.compromised_at is None


def test_the_lists_are_signed_anew_and_keep_their_bits(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    world.set_status(issued, "revoked")

    made = rotate(world)

    assert list_methods(world) == {made[0].verification_method}
    assert outcome(world.verified(body_of(issued)), "status") == ("failed", "revoked")


def test_what_a_compromised_key_signed_is_refused_with_the_reason_and_listed(world: World) -> None:
    world.published_definition()
    before = world.issued()
    old = active(world)
    rotate(world)
    after = world.issued()

    counted = compromise(world, old["Ed25519"].verification_method)

    report = world.verified(body_of(before))
    assert outcome(report, "key") == ("failed", "compromised")
    assert report.verdict == "refused"
    (finding,) = [found for found in report.findings if found.check == "key"]
    assert f"{world.clock():%Y-%m-%d}" in finding.sentence("sv")
    assert world.verified(body_of(before, form="vc-jwt")).verified
    assert world.verified(body_of(after)).verified
    assert counted == 1
    with world.reading() as session:
        rows, total = awards.search(
            session, organization_id=before.award.organization_id, compromised=True
        )
    assert ([row.id for row in rows], total) == ([before.award.id], 1)


def test_a_compromised_key_leaves_the_document_and_another_signs_at_once(world: World) -> None:
    world.published_definition()
    old = active(world)["Ed25519"]

    compromise(world, old.multikey)

    shown = json.dumps(document(world))
    new = active(world)["Ed25519"]
    assert old.multikey not in shown
    assert new.id != old.id
    assert document(world)["assertionMethod"][0] == new.verification_method
    assert list_methods(world) == {new.verification_method}
    assert world.verified(body_of(world.issued())).verified


def test_the_private_half_of_a_compromised_key_is_gone_after_the_commit(world: World) -> None:
    old = active(world)["Ed25519"]
    folder = Path(world.env.key_stores["file"].folder)  # type: ignore[attr-defined]
    file = folder / f"{old.id}.key"
    assert file.is_file()

    with pytest.raises(RuntimeError):
        broken_off(
            world, lambda s: compromise_key(world.env, s, OPERATOR_ACTOR, ISSUER, old.multikey)
        )
    assert file.is_file()
    assert active(world)["Ed25519"].id == old.id

    compromise(world, old.multikey)
    assert not file.exists()


def test_publications_that_a_compromised_key_signed_are_signed_anew_and_say_the_same(
    world: World,
) -> None:
    version = world.published_definition()[0]
    old = active(world, "sobona")["Ed25519"]

    compromise(world, old.multikey, "sobona")

    with world.reading() as session:
        found = definitions.by_id(session, version.id)
    assert found is not None
    before, after = (
        json.loads(body or b"") for body in (version.publication, found[0].publication)
    )
    new = active(world, "sobona")["Ed25519"]
    assert after["proof"]["verificationMethod"] == new.verification_method
    assert before.pop("proof") != after.pop("proof")
    assert before == after
    assert (found[0].document, found[0].digest_sri) == (version.document, version.digest_sri)
    form = FORMATS["ldp_vc"]
    listed = form.read(found[0].publication or b"")
    form.check_proof(listed, listed.proofs[0], new.public_key, world.env.contexts)


def test_what_an_owner_let_others_do_outlives_its_compromised_key(world: World) -> None:
    """Otherwise every credential of every issuer that it authorised would be refused."""
    world.published_definition(authorised_issuers=["sobona"])
    granted(world)
    before = world.issued()
    compromise(world, active(world, "sobona")["Ed25519"].multikey, "sobona")
    report = world.verified(body_of(before))
    assert report.verified
    assert outcome(report, "authorization") == ("passed", "authorised")

    world.clock.advance(minutes=5)
    with world.reading() as session:
        (row,) = delegations.of_organization(
            session, organization_id=world.organization("sobona").id
        )
    changed(world, "sobona", row, "withdrawn")
    compromise(world, active(world, "sobona")["Ed25519"].multikey, "sobona")

    report = world.verified(body_of(before))
    assert outcome(report, "authorization") == ("passed", "authorised_then")


def test_the_operators_list_and_approvals_outlive_a_compromised_key(world: World) -> None:
    version_id = handed_in(world, approvals=1)
    decided(world, person(world, "sobona", "reviewer"), version_id)
    with world.writing() as session:
        confirm(world.env, session, OPERATOR_ACTOR, "sobona", ConfirmationOrder(how="Sett."))

    for slug in ("sobona", OPERATOR_SLUG):
        with world.reading() as session:
            owner = organizations.by_slug(session, slug)
            assert owner is not None
            held = keys.of_organization(session, organization_id=owner.id)
        (old,) = [key for key in held if key.state == "active" and key.algorithm == "Ed25519"]
        compromise(world, old.multikey, slug)

    with world.reading() as session:
        (review,) = session.query(Review).all()
    for body in (review.endorsement or b"", confirmed_list(world.env)):
        assert verify(world.env, body, STANDARD).verified


def test_a_retired_key_can_be_withdrawn_and_nothing_else_changes(world: World) -> None:
    old = active(world)["P-256"]
    rotate(world)
    before = active(world)

    compromise(world, old.verification_method)

    assert {row.id for row in active(world).values()} == {row.id for row in before.values()}
    assert old.verification_method not in document(world)["assertionMethod"]


def test_a_key_is_withdrawn_once_and_only_by_its_own_organisation(world: World) -> None:
    old = active(world)["Ed25519"]
    world.organization("sobona")
    compromise(world, old.multikey)

    for slug, name, kind in (
        (ISSUER, old.multikey, Conflict),
        ("sobona", active(world)["Ed25519"].multikey, NotFound),
        (ISSUER, "x", NotFound),
        ("nobody", "x", NotFound),
    ):
        with pytest.raises(kind):
            compromise(world, name, slug)


@pytest.mark.parametrize(
    "act",
    [rotate_keys, lambda env, session, actor, slug: compromise_key(env, session, actor, slug, "x")],
)
def test_an_organisation_itself_may_not_change_keys(
    world: World, act: Callable[..., object]
) -> None:
    organization = world.organization(ISSUER)
    actor = Actor("test", organization.id, ORGANIZATION)
    assert not ORGANIZATION & OPERATOR

    with pytest.raises(Forbidden), world.writing() as session:
        act(world.env, session, actor, ISSUER)


def test_nothing_is_left_of_a_rotation_that_does_not_commit(world: World) -> None:
    before = active(world)
    folder = Path(world.env.key_stores["file"].folder)  # type: ignore[attr-defined]
    files = sorted(folder.iterdir())

    with pytest.raises(RuntimeError):
        broken_off(world, lambda s: rotate_keys(world.env, s, OPERATOR_ACTOR, ISSUER))

    assert {row.id for row in active(world).values()} == {row.id for row in before.values()}
    assert sorted(folder.iterdir()) == files


@pytest.mark.postgresql
def test_no_credential_is_stored_that_a_withdrawn_key_has_signed_meanwhile(world: World) -> None:
    """Issuers and a rotation that withdraws the signing key, again and again, at the same time."""
    world.published_definition()
    organization = world.organization(ISSUER)
    problems: list[BaseException] = []
    made = []
    stop = threading.Event()

    def issue() -> None:
        try:
            while not stop.is_set():
                made.append(world.issued(languages=["sv"]))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            problems.append(error)

    threads = [threading.Thread(target=issue) for _ in range(3)]
    for thread in threads:
        thread.start()
    withdrawn: dict[str, int] = {}
    for _ in range(6):
        method = active(world)["Ed25519"].verification_method
        withdrawn[method] = compromise(world, method)
    stop.set()
    for thread in threads:
        thread.join()

    assert problems == []
    with world.reading() as session:
        for method, counted in withdrawn.items():
            signed = awards.count_signed_with(
                session, organization_id=organization.id, method=method
            )
            assert signed == counted
    assert len(made) > 6


@pytest.mark.postgresql
def test_issuing_revoking_and_rotating_at_once_end_with_lists_of_the_newest_key(
    world: World,
) -> None:
    world.published_definition()
    problems: list[BaseException] = []
    made: list[Issued] = []
    revoked: list[Issued] = []
    stop = threading.Event()

    def again_and_again(act: Callable[[], None]) -> None:
        try:
            while not stop.is_set():
                act()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            problems.append(error)

    def issue() -> None:
        made.append(world.issued())

    def revoke() -> None:
        one = world.issued(languages=["sv"])
        world.set_status(one, "revoked")
        revoked.append(one)

    threads = [
        threading.Thread(target=again_and_again, args=[act])
        for act in (issue, issue, revoke, revoke)
    ]
    for thread in threads:
        thread.start()
    for _ in range(8):
        newest = rotate(world)
    stop.set()
    for thread in threads:
        thread.join()

    assert problems == []
    assert list_methods(world) == {newest[0].verification_method}
    found = {tuple(failed_checks(world.verified(body_of(one)))) for one in made}
    assert found == {()}
    found = {tuple(failed_checks(world.verified(body_of(one)))) for one in revoked}
    assert found == {("status",)}
