"""An owner's authorisation of an issuer: granted, accepted, used, withdrawn; and everything that is not one."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from kpass_vc.actions.delegate import (
    AskOrder,
    DelegationStatusOrder,
    GrantOrder,
    ask,
    change,
    grant,
    own_delegation,
)
from kpass_vc.actions.sign import secure
from kpass_vc.errors import Conflict, Forbidden, InvalidInput, NotFetched, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.language import LANGUAGES
from kpass_vc.model.dates import utc_text
from kpass_vc.records import delegation as delegations
from kpass_vc.records.delegation import Delegation
from kpass_vc.verification import Evidence
from tests.sample import Json, Sample, outcome, replaced, sample
from tests.world import World, actor_of, body_of, definition_document

OWNER, ISSUER = "sobona", "stadsnat-exempel"


def granted(world: World, **order: object) -> Delegation:
    wanted = {"issuer": ISSUER, "definitions": ["SOB-OPTO-01"]} | order
    world.organization(ISSUER)
    with world.writing() as session:
        owner = actor_of(world.organization(OWNER))
        return grant(world.env, session, owner, GrantOrder.model_validate(wanted))


def changed(world: World, slug: str, row: Delegation, status: str) -> Delegation:
    with world.writing() as session:
        order = DelegationStatusOrder.model_validate({"status": status, "reason": "Så är det."})
        return change(world.env, session, actor_of(world.organization(slug)), row.id, order)


def test_an_offer_is_accepted_and_what_is_issued_under_it_names_it(world: World) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    row = granted(world)
    assert row.state == "offered"

    assert changed(world, ISSUER, row, "accepted").state == "active"
    issued = world.issued()

    for language in ("sv", "en"):
        for form in ("ldp_vc", "vc-jwt"):
            report = world.verified(body_of(issued, language, form))
            assert report.verified
            assert outcome(report, "authorization") == ("passed", "authorised")
    terms = json.loads(body_of(issued))["termsOfUse"]
    assert terms == [{"id": row.url, "type": f"{world.env.vocabulary}IssuingAuthorization"}]


def test_without_an_authorisation_nobody_issues_and_issuing_accepts_an_offer(world: World) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    world.organization(ISSUER)
    with pytest.raises(Forbidden):
        world.issued()
    row = granted(world)
    world.issued()
    with world.reading() as session:
        assert session.get_one(Delegation, row.id).accepted_at is not None


def test_what_was_declined_or_is_for_another_time_or_line_is_no_authorisation(world: World) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    world.draft(code="SOB-OPTO-02", version="1.0.0", authorised_issuers=[OWNER])
    changed(world, ISSUER, granted(world), "declined")
    granted(world, definitions=["SOB-OPTO-02"])
    tomorrow = (world.env.now() + timedelta(days=2)).date().isoformat()
    granted(world, validFrom=tomorrow)
    with pytest.raises(Forbidden):
        world.issued()
    world.clock.advance(days=3)
    world.issued()


def test_a_family_has_the_lines_that_begin_like_it_those_that_come_later_too(world: World) -> None:
    granted(world, definitions=[], families=["SOB-OPTO"])
    world.published_definition(authorised_issuers=[OWNER])

    report = world.verified(body_of(world.issued()))

    assert outcome(report, "authorization") == ("passed", "authorised")


def test_a_quota_ends_it(world: World) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    granted(world, quota=2)
    world.issued()
    world.issued()
    with pytest.raises(Conflict) as caught:
        world.issued()
    assert caught.value.rule == "quota_used"


def test_an_issuer_asks_and_the_owner_grants(world: World) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    issuer = world.organization(ISSUER)
    with world.writing() as session:
        order = AskOrder(owner=OWNER, definitions=["SOB-OPTO-01"])
        row = ask(world.env, session, actor_of(issuer), order)
    with pytest.raises(Conflict):
        changed(world, ISSUER, row, "accepted")
    assert changed(world, OWNER, row, "granted").state == "active"
    assert world.verified(body_of(world.issued())).verified


def test_a_withdrawal_leaves_what_was_issued_and_lets_nothing_more_be(world: World) -> None:
    version, _, _ = world.published_definition()
    issued = world.issued()
    with world.reading() as session:
        (row,) = delegations.of_organization(session, organization_id=world.organization(ISSUER).id)
    world.clock.advance(minutes=5)
    changed(world, OWNER, row, "withdrawn")
    world.clock.advance(minutes=5)

    report = world.verified(body_of(issued))
    assert report.verified
    assert outcome(report, "authorization") == ("passed", "authorised_then")
    (said,) = [each for each in report.findings if each.check == "authorization"]
    assert "Sobona" in said.sentence("sv")
    assert "egen uppgift" in said.sentence("sv")
    with pytest.raises(Forbidden):
        world.issued()
    with pytest.raises(Conflict):
        changed(world, OWNER, row, "granted")
    with world.reading() as session:
        notice = json.loads(session.get_one(Delegation, row.id).withdrawal or b"")
    assert notice["credentialSubject"]["id"] == row.url
    assert version.state == "published"


def test_anothers_delegation_is_not_there_and_a_stranger_changes_nothing(world: World) -> None:
    world.published_definition(authorised_issuers=[OWNER])
    row = granted(world)
    with pytest.raises(NotFound):
        changed(world, "annan", row, "accepted")
    with world.reading() as session, pytest.raises(NotFound):
        own_delegation(session, actor_of(world.organization("annan")), row.id)
    with pytest.raises(Conflict):
        changed(world, ISSUER, row, "withdrawn")
    with pytest.raises(InvalidInput):
        granted(world, issuer=OWNER)
    with pytest.raises(InvalidInput):
        granted(world, definitions=["SOB-NOPE-01"])
    with pytest.raises(InvalidInput):
        granted(world, issuer="did:web:UPPER.example")


# ---- what is not an authorisation, each signed well by somebody


def with_authorization(made: Sample, body: bytes) -> Evidence:
    (url,) = made.evidence.authorizations
    return replace(made.evidence, authorizations={url: body})


def authorization(made: Sample) -> Json:
    (body,) = made.evidence.authorizations.values()
    found: Json = json.loads(body)
    del found["proof"]
    return found


def by_owner(made: Sample, *place: str, value: object) -> bytes:
    return made.sign(replaced(authorization(made), place, value), made.owner_signing)


def mentions_only(made: Sample) -> bytes:
    """An endorsement that speaks of the definition and lets nobody issue it."""
    found = authorization(made)
    claim = next(name for name in found["credentialSubject"] if name.endswith("mayIssue"))
    line = found["credentialSubject"].pop(claim)[0]["id"]
    found["credentialSubject"]["endorsementComment"] = f"{line} är bra."
    return made.sign(found, made.owner_signing)


def for_families(made: Sample, *families: str, of: Json | None = None) -> bytes:
    """An authorisation for families alone; `of` makes it a statement about another node."""
    found = authorization(made)
    subject = found["credentialSubject"]
    del subject[f"{made.evidence.vocabulary}mayIssue"]
    said = {
        f"{made.evidence.vocabulary}mayIssueFamily": [
            {"id": f"http://localhost:8000/o/{each}"} for each in families
        ]
    }
    subject |= {f"{made.evidence.vocabulary}about": {**of, **said}} if of else said
    return made.sign(found, made.owner_signing)


NOT_ONE: dict[str, tuple[Callable[[Sample], bytes], str]] = {
    "changed after signing": (
        lambda made: json.dumps(
            {
                **json.loads(next(iter(made.evidence.authorizations.values()))),
                "name": "Något annat",
            }
        ).encode(),
        "forged",
    ),
    "signed by the issuer in the owner's name": (
        lambda made: made.sign(authorization(made), made.signing),
        "forged",
    ),
    "the issuer's own word": (
        lambda made: made.sign(
            replaced(authorization(made), ("issuer", "id"), made.credential["issuer"]["id"]),
            made.signing,
        ),
        "not_the_owner",
    ),
    "for another issuer": (
        lambda made: by_owner(made, "credentialSubject", "id", value="did:web:other.example"),
        "another_issuer",
    ),
    "for another definition": (
        lambda made: by_owner(
            made,
            "credentialSubject",
            f"{made.evidence.vocabulary}mayIssue",
            value=[{"id": "http://localhost:8000/o/sobona/definitions/SOB-OPTO-02"}],
        ),
        "another_definition",
    ),
    "for a definition that the code begins like": (
        lambda made: by_owner(
            made,
            "credentialSubject",
            f"{made.evidence.vocabulary}mayIssue",
            value=[{"id": "http://localhost:8000/o/sobona/definitions/SOB-OPTO-0"}],
        ),
        "another_definition",
    ),
    "for a family that the code begins like": (
        lambda made: for_families(made, "sobona/definitions/SOB-OPTO-0"),
        "another_definition",
    ),
    "for a family of the same name of another owner": (
        lambda made: for_families(made, "annan/definitions/SOB"),
        "another_definition",
    ),
    "for a family, said of somebody else": (
        lambda made: for_families(
            made, "sobona/definitions/SOB", of={"id": "did:web:other.example"}
        ),
        "another_definition",
    ),
    "of another vocabulary": (
        lambda made: by_owner(
            made,
            "type",
            value=[
                "VerifiableCredential",
                "EndorsementCredential",
                "https://other.example/#IssuingAuthorization",
            ],
        ),
        "no_authorization",
    ),
    "under another address": (
        lambda made: by_owner(made, "id", value="http://localhost:8000/o/sobona/other.json"),
        "no_authorization",
    ),
    "a withdrawal": (
        lambda made: by_owner(
            made,
            "type",
            value=[
                "VerifiableCredential",
                "EndorsementCredential",
                f"{made.evidence.vocabulary}AuthorizationWithdrawal",
            ],
        ),
        "no_authorization",
    ),
    "an endorsement that only mentions it": (mentions_only, "another_definition"),
    "not of the kind": (
        lambda made: by_owner(
            made, "type", value=["VerifiableCredential", "EndorsementCredential"]
        ),
        "no_authorization",
    ),
    "ended before": (
        lambda made: by_owner(made, "validUntil", value=utc_text(made.now - timedelta(days=30))),
        "another_time",
    ),
    "begins after": (
        lambda made: by_owner(made, "validFrom", value="2099-01-01T00:00:00Z"),
        "another_time",
    ),
    "no credential": (lambda _: b"{}", "forged"),
}


@pytest.mark.parametrize("case", NOT_ONE)
def test_what_is_not_an_authorisation_does_not_authorise(case: str) -> None:
    made = sample()
    make, code = NOT_ONE[case]

    report = made.judge(made.body, with_authorization(made, make(made)))

    assert outcome(report, "authorization") == ("failed", code)
    assert report.verdict == "refused"
    (said,) = [each for each in report.findings if each.check == "authorization"]
    assert all("Sobona (exempel)" in said.sentence(language) for language in LANGUAGES)


def test_an_owner_that_cannot_be_asked_is_unknown_and_named() -> None:
    """Neither a yes nor a no: what is not under our own address may be there tomorrow."""
    made = sample()
    place = "https://owner.example/o/sobona/authorizations/1.json"
    credential = replaced(made.credential, ("termsOfUse", 0, "id"), place)

    for missing in ({}, {place: NotFetched("too_slow", url=place, seconds=1)}):
        report = made.judge(made.sign(credential), replace(made.evidence, missing=missing))

        found, _ = outcome(report, "authorization")
        assert found == "unknown"
        assert not report.verified
        (said,) = [each for each in report.findings if each.check == "authorization"]
        assert "Sobona (exempel)" in said.sentence("sv")


def test_what_an_owner_signed_holds_under_a_rotated_key_and_not_under_a_compromised_one() -> None:
    made = sample()
    method = made.owner_signing.verification_method

    rotated = made.judge(made.body)
    compromised = made.judge(
        made.body, replace(made.evidence, withdrawn_keys={method: made.now - timedelta(days=1)})
    )

    assert outcome(rotated, "authorization") == ("passed", "authorised")
    assert outcome(compromised, "authorization") == ("failed", "forged")


def test_a_withdrawal_that_the_owner_has_not_signed_dates_nothing(world: World) -> None:
    """Otherwise an issuer could say that it was withdrawn after whatever it issues."""
    world.published_definition()
    issued = world.issued()
    with world.reading() as session:
        (row,) = delegations.of_organization(session, organization_id=world.organization(ISSUER).id)
    changed(world, OWNER, row, "withdrawn")
    issuer = world.organization(ISSUER)
    with world.writing() as session:
        held = session.get_one(Delegation, row.id)
        notice = json.loads(held.withdrawal or b"")
        del notice["proof"]
        notice["issuer"]["id"], notice["validFrom"] = issuer.did, "2099-01-01T00:00:00Z"
        held.withdrawal = secure(
            world.env, session, issuer, FORMATS["ldp_vc"], notice, world.env.now()
        ).body

    report = world.verified(body_of(issued))

    assert outcome(report, "authorization") == ("unknown", "withdrawn_undated")


def test_what_is_issued_after_a_withdrawal_and_says_before_is_never_plainly_authorised(
    world: World,
) -> None:
    """An issuer sets its own clock: the day is then said to be its own word."""
    world.published_definition()
    early = json.loads(body_of(world.issued()))
    with world.reading() as session:
        (row,) = delegations.of_organization(session, organization_id=world.organization(ISSUER).id)
    world.clock.advance(days=1)
    changed(world, OWNER, row, "withdrawn")
    world.clock.advance(days=1)
    del early["proof"]
    answers = {}
    issuer = world.organization(ISSUER)
    for day in (early["validFrom"], utc_text(world.env.now())):
        with world.writing() as session:
            made = early | {"validFrom": day}
            body = secure(world.env, session, issuer, FORMATS["ldp_vc"], made, world.env.now()).body
        answers[day] = outcome(world.verified(body), "authorization")

    assert list(answers.values()) == [("passed", "authorised_then"), ("failed", "withdrawn")]


def test_an_authorisation_under_our_address_that_is_not_there_is_not_one() -> None:
    made = sample()

    report = made.judge(made.body, replace(made.evidence, authorizations={}))

    assert outcome(report, "authorization") == ("failed", "not_published")


def test_an_authorisation_moved_within_the_signed_json_says_the_same_or_is_refused() -> None:
    """The claim is read from what was signed, not from where the JSON has it."""
    made = sample()
    signed = json.loads(next(iter(made.evidence.authorizations.values())))
    subject = signed["credentialSubject"]
    claim = next(name for name in subject if name.endswith("mayIssue"))
    for_other = {**subject, claim: [{"id": "http://localhost:8000/o/sobona/definitions/X-Y"}]}

    report = made.judge(
        made.body,
        with_authorization(made, json.dumps({**signed, "credentialSubject": for_other}).encode()),
    )

    assert outcome(report, "authorization") == ("failed", "forged")


def test_the_definition_line_is_that_of_the_bound_document(world: World) -> None:
    """A credential for one definition cannot borrow the authorisation for another."""
    world.published_definition()
    second = definition_document("SOB-OPTO-02") | {"authorised_issuers": [OWNER]}
    world.published_definition(**second)
    with pytest.raises(Forbidden):
        world.issued(definition="sobona/SOB-OPTO-02")
