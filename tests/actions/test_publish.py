"""Publishing: nothing is missing, nothing changes afterwards, and the owner signs."""

import hashlib
import json
from base64 import b64encode

import pytest
from sqlalchemy import select

from kpass_vc.actions.publish import publish, retire
from kpass_vc.actions.review import under_review
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.keys import PublicKey
from kpass_vc.errors import Conflict, DefinitionIncomplete, Forbidden, InvalidInput, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.records.definition import Achievement, DefinitionVersion, Found
from tests.world import World, actor_of, body_of


def state_of(world: World, version_id: str) -> str:
    with world.reading() as session:
        return session.get_one(DefinitionVersion, version_id).state


def publish_as(world: World, actor: Actor, version_id: str) -> Found:
    with world.writing() as session:
        return publish(world.env, session, actor, version_id)


def sri(body: bytes) -> str:
    return "sha384-" + b64encode(hashlib.sha384(body).digest()).decode()


def test_the_stored_bytes_are_the_hashed_and_the_signed_ones(world: World) -> None:
    version, _, owner = world.published_definition()

    assert version.document is not None
    assert version.publication is not None
    assert version.digest_sri == sri(version.document)
    with world.reading() as session:
        editions = {
            row.url: row.body
            for row in session.scalars(
                select(Achievement).where(Achievement.definition_version_id == version.id)
            )
        }
    publication = json.loads(version.publication)
    assert {each["id"]: each["digestSRI"] for each in publication["relatedResource"]} == {
        str(version.document_url): sri(version.document),
        **{url: sri(body) for url, body in editions.items()},
    }
    assert len(editions) == 2
    assert publication["issuer"]["id"] == owner.did


def test_the_owner_has_signed_the_publication(world: World) -> None:
    version, _, owner = world.published_definition()
    assert version.publication is not None

    presented = FORMATS["ldp_vc"].read(version.publication)

    method = str(presented.proofs[0].verification_method)
    assert method.partition("#")[0] == owner.did
    key = PublicKey.from_multikey(method.partition("#")[2])
    FORMATS["ldp_vc"].check_proof(presented, presented.proofs[0], key, world.env.contexts)


def test_the_published_document_holds_nothing_that_changes(world: World) -> None:
    version, _, owner = world.published_definition()

    document = json.loads(version.document or b"")

    assert not {"status", "authorised_issuers", "part_of"} & document.keys()
    assert "part_of" not in json.dumps(document)
    assert owner.did in json.dumps(document["owner"])


def test_a_definition_with_gaps_is_refused_with_all_of_them_in_both_languages(world: World) -> None:
    version, _, owner = world.draft(learning_outcomes=[], workload=None, assessment=None)

    with pytest.raises(DefinitionIncomplete) as caught:
        publish_as(world, actor_of(owner), version.id)

    fields = {gap.field.split("/")[1] for gap in caught.value.gaps}
    assert {"learning_outcomes", "workload", "assessment"} <= fields
    assert caught.value.sentence("sv") != caught.value.sentence("en")
    assert state_of(world, version.id) == "draft"


def test_an_issuer_or_a_definition_that_is_not_here_is_a_gap(world: World) -> None:
    version, _, owner = world.draft(authorised_issuers=[])
    with pytest.raises(DefinitionIncomplete):
        publish_as(world, actor_of(owner), version.id)

    with world.writing() as session:
        row = session.get_one(DefinitionVersion, version.id)
        source = json.loads(row.source)
        source["authorised_issuers"] = ["nobody"]
        source["prerequisites"] = {"text": None, "required_definitions": ["XX-99"]}
        row.source = json.dumps(source)
    with pytest.raises(DefinitionIncomplete) as caught:
        publish_as(world, actor_of(owner), version.id)

    assert {"gap.unknown_issuer", "gap.unknown_definition"} <= {
        gap.rule for gap in caught.value.gaps
    }


def test_definitions_that_need_each_other_are_a_gap(world: World) -> None:
    world.published_definition(code="XX-01")
    world.draft(code="XX-02")
    version, _, owner = world.draft(
        code="XX-01",
        version="2.0.0",
        prerequisites={"text": None, "required_definitions": ["XX-02"]},
    )
    publish_as(world, actor_of(owner), version.id)
    last, _, _ = world.draft(
        code="XX-02", prerequisites={"text": None, "required_definitions": ["XX-01"]}
    )

    with pytest.raises(DefinitionIncomplete) as caught:
        publish_as(world, actor_of(owner), last.id)

    assert [gap.rule for gap in caught.value.gaps] == ["gap.cycle"]


def test_a_newer_version_supersedes_the_older_and_never_the_other_way(world: World) -> None:
    first, _, _ = world.published_definition(version="1.9.0")
    second, _, _ = world.published_definition(version="1.10.0")
    older, _, owner = world.draft(version="1.9.1")

    with pytest.raises(Conflict) as caught:
        publish_as(world, actor_of(owner), older.id)

    assert caught.value.rule == "newer_is_published"
    assert (state_of(world, first.id), state_of(world, second.id)) == ("superseded", "published")
    assert state_of(world, older.id) == "draft"


def test_a_number_is_held_against_the_latest_that_was_ever_published(world: World) -> None:
    first, _, owner = world.published_definition()
    patch, _, _ = world.draft(version="1.0.1", workload={"hours": 999})
    with pytest.raises(DefinitionIncomplete) as caught:
        publish_as(world, actor_of(owner), patch.id)
    with world.writing() as session:
        retire(world.env, session, actor_of(owner), first.id)

    with pytest.raises(DefinitionIncomplete) as after:
        publish_as(world, actor_of(owner), patch.id)

    assert [gap.rule for gap in caught.value.gaps] == ["gap.version_major"]
    assert [gap.rule for gap in after.value.gaps] == ["gap.version_major"]
    with world.reading() as session:
        shown = under_review(session, actor_of(owner), patch.id).changes
    assert [(each.field, each.step) for each in shown] == [("/workload/hours", "major")]
    major, _, _ = world.draft(version="2.0.0", workload={"hours": 999})
    assert publish_as(world, actor_of(owner), major.id)[0].state == "published"
    with world.writing() as session:
        retire(world.env, session, actor_of(owner), major.id)
    older, _, _ = world.draft(version="1.0.2")
    with pytest.raises(Conflict) as late:
        publish_as(world, actor_of(owner), older.id)
    assert late.value.rule == "newer_is_published"
    assert late.value.sentence("sv") != late.value.sentence("en")


def test_a_version_is_published_once(world: World) -> None:
    version, _, owner = world.published_definition()

    with pytest.raises(Conflict) as caught:
        publish_as(world, actor_of(owner), version.id)

    assert caught.value.rule == "version_is_final"


def test_another_organisation_and_a_lesser_token_publish_nothing(world: World) -> None:
    version, _, owner = world.draft()
    other = world.organization("annan")

    with pytest.raises(NotFound):
        publish_as(world, actor_of(other), version.id)
    with pytest.raises(Forbidden):
        publish_as(
            world, Actor("x", owner.id, frozenset({Permission.DEFINITIONS_WRITE})), version.id
        )
    with pytest.raises(NotFound):
        publish_as(world, actor_of(owner), "no-such-id")

    assert state_of(world, version.id) == "draft"


def test_what_was_issued_stays_valid_when_its_definition_is_retired_or_superseded(
    world: World,
) -> None:
    version, _, owner = world.published_definition()
    issued = world.issued()

    world.published_definition(version="1.1.0")
    superseded = world.verified(body_of(issued))
    with world.writing() as session:
        retire(world.env, session, actor_of(owner), version.id)
    retired = world.verified(body_of(issued))

    assert superseded.verified
    assert retired.verified
    notes = [note.code for note in (*superseded.notes, *retired.notes)]
    assert [code for code in notes if code.startswith("definition_")] == [
        "definition_superseded",
        "definition_retired",
    ]


def test_only_what_is_published_can_be_retired_and_by_its_owner_alone(world: World) -> None:
    version, _, owner = world.draft()
    other = world.organization("annan")

    with pytest.raises(Conflict), world.writing() as session:
        retire(world.env, session, actor_of(owner), version.id)
    publish_as(world, actor_of(owner), version.id)
    with pytest.raises(NotFound), world.writing() as session:
        retire(world.env, session, actor_of(other), version.id)

    assert state_of(world, version.id) == "published"


def test_a_title_with_a_control_character_never_gets_as_far(world: World) -> None:
    with pytest.raises(InvalidInput):
        world.draft(title={"sv": "a\x00b", "en": "x"})
