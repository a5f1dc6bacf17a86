"""Share links, private links and disputes: who may see what, until when, and what is kept of it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from kpass_vc.actions.share import (
    MOST_LINKS,
    AnswerOrder,
    DisputeOrder,
    SharedAward,
    ShareOrder,
    answer,
    dispute,
    open_holder,
    open_share,
    private_link,
    renew_link,
    share,
    withdraw,
)
from kpass_vc.authz import ORGANIZATION, Actor, Permission
from kpass_vc.errors import Conflict, Forbidden, InvalidInput, KpassError, NotFound
from kpass_vc.links import holder_token, written_code
from kpass_vc.records import audit
from kpass_vc.records.award import Award
from kpass_vc.records.dispute import Dispute
from kpass_vc.records.share_link import ShareLink
from tests.world import LEARNER, World


@pytest.fixture
def award(world: World) -> Award:
    world.published_definition()
    return world.issued().award


def opened(world: World, code: str) -> SharedAward:
    with world.reading() as session:
        return open_share(world.env, session, code)


def refusal(world: World, code: str) -> str:
    with pytest.raises(NotFound) as caught:
        opened(world, code)
    return caught.value.rule


def issuer_of(award: Award, permissions: frozenset[Permission] = ORGANIZATION) -> Actor:
    return Actor("test", award.organization_id, permissions)


def answered(
    world: World, award: Award, text: str = "Rättat.", actor: Actor | None = None
) -> Dispute:
    order = AnswerOrder(status="closed", answer=text)
    with world.writing() as session:
        return answer(world.env, session, actor or issuer_of(award), award.id, order)


def test_a_share_link_shows_the_credential_of_its_language_and_no_other(
    world: World, award: Award
) -> None:
    for language in ("sv", "en"):
        found = opened(world, world.code_of(world.shared(award.id, language=language)))

        assert found.award.id == award.id
        assert found.language == language
        assert {row.language for row in found.representations} == {language}
        assert {row.format for row in found.representations} == {"ldp_vc", "vc-jwt"}


@pytest.mark.parametrize(
    ("lasts", "until"),
    [
        ("day", timedelta(days=1)),
        ("month", timedelta(days=30)),
        ("year", timedelta(days=365)),
    ],
)
def test_a_share_link_ends_when_its_time_is_up(
    world: World, award: Award, lasts: str, until: timedelta
) -> None:
    code = world.code_of(world.shared(award.id, lasts=lasts))

    world.clock.moment += until - timedelta(seconds=1)
    assert opened(world, code).award.id == award.id
    world.clock.advance(seconds=1)

    assert refusal(world, code) == "share_link_ended"


def test_a_share_link_without_an_end_lasts(world: World, award: Award) -> None:
    code = world.code_of(world.shared(award.id, lasts="until_withdrawn"))

    world.clock.advance(days=10_000)

    assert opened(world, code).award.id == award.id


def test_a_withdrawn_share_link_shows_nothing_and_the_others_still_do(
    world: World, award: Award
) -> None:
    one, other = world.shared(award.id), world.shared(award.id)

    for _ in range(2):
        with world.writing() as session:
            withdraw(world.env, session, world.token_of(award.id), one.id)

    assert refusal(world, world.code_of(one)) == "share_link_ended"
    assert opened(world, world.code_of(other)).link.id == other.id


def test_a_code_is_known_however_it_is_typed_and_only_its_hash_is_kept(
    world: World, award: Award
) -> None:
    link = world.shared(award.id)
    code = world.code_of(link)

    assert opened(world, written_code(code).lower()).link.id == link.id
    with world.reading() as session:
        kept = session.get_one(ShareLink, link.id)
        assert code not in str(vars(kept))


@pytest.mark.parametrize("code", ["", "x", "0" * 12, "7K1P-9QXM-20TB", "0" * 10_000, "\0" * 12])
def test_a_code_of_nobody_opens_nothing(world: World, award: Award, code: str) -> None:
    world.shared(award.id)

    assert refusal(world, code) == "share_link"


def test_two_awards_never_mix(world: World, award: Award) -> None:
    another = world.issued(holder={"name": "Bo Exempel"}).award
    ours, theirs = world.shared(award.id), world.shared(another.id)

    with world.writing() as session, pytest.raises(NotFound) as caught:
        withdraw(world.env, session, world.token_of(another.id), ours.id)

    assert caught.value.rule == "share_link"
    assert opened(world, world.code_of(ours)).award.holder_name == LEARNER
    assert opened(world, world.code_of(theirs)).award.holder_name == "Bo Exempel"
    with world.reading() as session:
        held = open_holder(world.env, session, world.token_of(another.id))
    assert [link.id for link in held.links] == [theirs.id]
    assert held.award.id == another.id


def test_a_token_with_another_mac_award_or_generation_opens_nothing(
    world: World, award: Award
) -> None:
    another = world.issued().award
    token = world.token_of(award.id)
    forged = [
        token[:22] + world.token_of(another.id)[22:],
        token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
        holder_token(bytes(32), award.id, 0),
        holder_token(world.env.link_key, award.id, 1),
        holder_token(world.env.link_key, "7d0c8c0e-6a3b-4f58-9a0c-2f1d5b8e4a11", 0),
        "",
        "A" * 43,
        "å" * 43,
    ]

    for each in forged:
        with world.reading() as session, pytest.raises(NotFound) as caught:
            open_holder(world.env, session, each)
        assert caught.value.rule == "holder_link"


def test_a_new_private_link_makes_the_one_before_it_dead(world: World, award: Award) -> None:
    old = world.token_of(award.id)
    link = world.shared(award.id)

    with world.writing() as session:
        renewed = renew_link(world.env, session, issuer_of(award), award.id)

    with world.reading() as session:
        with pytest.raises(NotFound):
            open_holder(world.env, session, old)
        held = open_holder(world.env, session, world.token_of(award.id))
    assert private_link(world.env, renewed).endswith(world.token_of(award.id))
    assert [each.id for each in held.links] == [link.id]
    assert opened(world, world.code_of(link)).award.id == award.id


@pytest.mark.parametrize(
    "order",
    [
        {"label": "Chefen", "lasts": "week", "language": "sv"},
        {"label": "", "lasts": "day", "language": "sv"},
        {"label": "x" * 101, "lasts": "day", "language": "sv"},
        {"label": "a\nb", "lasts": "day", "language": "sv"},
        {"label": "\u202e", "lasts": "day", "language": "sv"},
        {"label": "x", "lasts": "day", "language": "de"},
        {"label": "x", "lasts": "day"},
    ],
)
def test_a_share_order_that_breaks_a_rule_is_refused(order: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ShareOrder.model_validate(order)


def test_a_language_that_there_is_no_credential_in_cannot_be_shared(world: World) -> None:
    world.published_definition()
    award = world.issued(languages=["en"]).award

    with pytest.raises(InvalidInput) as caught:
        world.shared(award.id, language="sv")

    assert [(field.field, field.rule) for field in caught.value.fields] == [("/language", "enum")]


@pytest.mark.parametrize(
    "number",
    [
        "811228-9874",
        "19811228 9874",
        "\uff18\uff11\uff11\uff12\uff12\uff18\uff0d\uff19\uff18\uff17\uff14",
    ],
)
def test_no_personal_number_is_taken_in_a_label_a_dispute_or_an_answer(
    world: World, award: Award, number: str
) -> None:
    token = world.token_of(award.id)
    world.disputed(award.id)

    order = ShareOrder(label=f"Till {number}", lasts="day", language="sv")
    with world.writing() as session, pytest.raises(InvalidInput) as label:
        share(world.env, session, token, order)
    with world.writing() as session, pytest.raises(InvalidInput) as text:
        dispute(world.env, session, token, DisputeOrder(text=f"Jag är {number}."))
    with pytest.raises(InvalidInput) as said:
        answered(world, award, f"Du är {number}.")

    for caught, name in ((label, "/label"), (text, "/text"), (said, "/answer")):
        assert [(each.field, each.rule) for each in caught.value.fields] == [
            (name, "personal_number")
        ]


def test_so_many_links_may_be_open_at_a_time_and_no_more(world: World, award: Award) -> None:
    links = [world.shared(award.id, lasts="day") for _ in range(MOST_LINKS)]

    with pytest.raises(Conflict) as caught:
        world.shared(award.id)

    assert caught.value.rule == "too_many_share_links"
    with world.writing() as session:
        withdraw(world.env, session, world.token_of(award.id), links[0].id)
    assert world.shared(award.id).id


def test_a_dispute_is_open_until_the_issuer_answers_and_may_then_come_again(
    world: World, award: Award
) -> None:
    first = world.disputed(award.id, "Datumet är fel.\nDet var i maj.")
    with pytest.raises(Conflict) as again:
        world.disputed(award.id, "Hallå?")

    closed = answered(world, award, "Det stämmer: det var i maj.")

    assert again.value.rule == "dispute_open"
    assert (closed.id, closed.state, closed.closed_at) == (first.id, "closed", world.env.now())
    with pytest.raises(Conflict) as caught:
        answered(world, award)
    assert caught.value.rule == "no_dispute_open"
    world.clock.advance(hours=1)
    second = world.disputed(award.id, "Ännu en sak.")
    with world.reading() as session:
        held = open_holder(world.env, session, world.token_of(award.id))
    assert held.dispute is not None
    assert (held.dispute.id, held.dispute.text) == (second.id, "Ännu en sak.")


@pytest.mark.parametrize("text", ["", " ", "x" * 2001, "a\0b", "\u202egnirts", "a\u200bb"])
def test_a_dispute_is_plain_text_of_at_most_two_thousand_characters(text: str) -> None:
    with pytest.raises(ValidationError):
        DisputeOrder(text=text)
    with pytest.raises(ValidationError):
        AnswerOrder(status="closed", answer=text)


def test_another_organisation_can_neither_answer_nor_renew(world: World, award: Award) -> None:
    world.disputed(award.id)
    stranger = Actor("test", world.organization("sobona").id, ORGANIZATION)

    for act in (
        lambda: answered(world, award, actor=stranger),
        lambda: renewed(world, award, stranger),
    ):
        with pytest.raises(NotFound):
            act()


def test_an_actor_without_the_permission_can_neither_answer_nor_renew(
    world: World, award: Award
) -> None:
    reader = issuer_of(award, frozenset({Permission.CREDENTIALS_READ}))

    for act in (
        lambda: answered(world, award, actor=reader),
        lambda: renewed(world, award, reader),
    ):
        with pytest.raises(Forbidden):
            act()


def renewed(world: World, award: Award, actor: Actor) -> Award:
    with world.writing() as session:
        return renew_link(world.env, session, actor, award.id)


def test_what_was_done_is_written_down_with_ids_only(world: World, award: Award) -> None:
    label, text, said = "Chefen på Nätet", "Namnet är fel", "Nytt bevis kommer"
    link = world.shared(award.id, label=label)
    with world.writing() as session:
        withdraw(world.env, session, world.token_of(award.id), link.id)
    found = world.disputed(award.id, text)
    answered(world, award, said)
    renewed(world, award, issuer_of(award))

    with world.reading() as session:
        entries = audit.of_organization(session, organization_id=award.organization_id)
    ours = [entry for entry in entries if entry.subject == award.id][1:]

    assert [(entry.action, entry.actor, entry.details) for entry in ours] == [
        ("credential.shared", "holder", {"share": link.id}),
        ("credential.share_withdrawn", "holder", {"share": link.id}),
        ("credential.disputed", "holder", {"dispute": found.id}),
        ("credential.dispute_closed", "test", {"dispute": found.id}),
        ("credential.link_renewed", "test", {}),
    ]
    kept = str([vars(entry) for entry in ours])
    assert not [part for part in (label, text, said, LEARNER, world.code_of(link)) if part in kept]


def test_every_refusal_is_said_in_both_languages() -> None:
    errors: list[KpassError] = [
        NotFound("holder_link"),
        NotFound("share_link"),
        NotFound("share_link_ended"),
        Conflict("too_many_share_links", most=50),
        Conflict("dispute_open"),
        Conflict("no_dispute_open", credential="x"),
    ]

    for error in errors:
        assert error.sentence("sv") != error.sentence("en")
