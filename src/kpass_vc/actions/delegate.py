"""An owner authorises an issuer for definitions of its own; the issuer asks and accepts; the owner withdraws.

The authorisation is signed when it is granted and lies at a permanent address.
An issuer accepts it expressly, or by issuing under it. A withdrawal sets the
status bit and is a signed notice with a date: what was issued before stays
valid, and nothing more is issued.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.publish_status import coalescing, next_index, put_bit
from kpass_vc.actions.sign import secure
from kpass_vc.authz import Actor, Permission
from kpass_vc.compose.authorization import Authorization, authorization, withdrawal
from kpass_vc.compose.credential import StatusEntry
from kpass_vc.compose.definition import Owner
from kpass_vc.dids import check_did
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, Forbidden, InvalidInput, Malformed, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.model.dates import STOCKHOLM, Day, end_of_day, start_of_day
from kpass_vc.model.field_errors import broken
from kpass_vc.model.personal_numbers import personal_number_fields
from kpass_vc.model.text import written
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import organization as organizations
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList

_CODE: Final = r"^[A-Z]{2,6}(-[A-Z0-9]{2,8}){1,4}$"
_FAMILY: Final = r"^[A-Z]{2,6}(-[A-Z0-9]{2,8}){0,3}$"
_Codes = Annotated[list[Annotated[str, Field(pattern=_CODE)]], Field(max_length=200)]
_Families = Annotated[list[Annotated[str, Field(pattern=_FAMILY)]], Field(max_length=20)]
_Note = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(written)]


class _Lines(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    definitions: _Codes = []
    """Codes of definitions, in all their versions."""
    families: _Families = []
    """Beginnings of codes: SOB-OPTO is for SOB-OPTO-01 and all that begin like it, those that come later too."""
    note: _Note | None = None
    """A word to the other side; it stands in nothing that is signed."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.definitions and not self.families:
            raise broken("required", at="/definitions")
        return self


class AskOrder(_Lines):
    """What an issuer asks an owner for."""

    owner: Annotated[str, Field(max_length=63)]


class GrantOrder(_Lines):
    """What an owner lets an issuer do."""

    issuer: Annotated[str, Field(max_length=2000)]
    """The slug of an organisation of this service, or the DID of one anywhere."""
    valid_from: Annotated[Day | None, Field(alias="validFrom")] = None
    valid_until: Annotated[Day | None, Field(alias="validUntil")] = None
    """The last day, Swedish time; until it is withdrawn, if left out."""
    quota: Annotated[int | None, Field(ge=1, le=10_000_000)] = None


class DelegationStatusOrder(BaseModel):
    """What is to become of a delegation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    status: Literal["accepted", "declined", "granted", "withdrawn"]
    reason: _Note | None = None


def ask(env: Environment, session: Session, actor: Actor, order: AskOrder) -> Delegation:
    """What an issuer asks for; the owner grants or declines it."""
    actor.require(Permission.DELEGATIONS_WRITE)
    issuer = _own(session, actor)
    owner = organizations.by_slug(session, order.owner)
    if owner is None:
        raise NotFound("organization", organization=order.owner)
    if owner.id == issuer.id:
        raise InvalidInput(FieldError("/owner", "delegation_to_itself"))
    _require_lines(session, owner, order)
    row = _new(env, session, owner, issuer.did, issuer, order)
    session.flush()
    _note_down(env, session, actor, "delegation.asked", row)
    return row


def grant(env: Environment, session: Session, actor: Actor, order: GrantOrder) -> Delegation:
    """The signed authorisation; an organisation of this service has yet to accept it."""
    actor.require(Permission.DELEGATIONS_WRITE)
    owner = _own(session, actor)
    issuer = organizations.by_slug(session, order.issuer)
    did = issuer.did if issuer else order.issuer
    if issuer is None:
        _require_did(order.issuer)
        issuer = organizations.by_did(session, did)
    if did == owner.did:
        raise InvalidInput(FieldError("/issuer", "delegation_to_itself"))
    _require_lines(session, owner, order)
    today = env.now().astimezone(STOCKHOLM).date()
    if order.valid_until is not None and order.valid_until < (order.valid_from or today):
        raise InvalidInput(FieldError("/validUntil", "dates_order"))
    row = _new(env, session, owner, did, issuer, order)
    if order.valid_from is not None:
        row.valid_from = start_of_day(order.valid_from)
    row.valid_until = end_of_day(order.valid_until) if order.valid_until else None
    row.quota = order.quota
    _sign(env, session, owner, row)
    _note_down(env, session, actor, "delegation.granted", row)
    return row


def change(
    env: Environment,
    session: Session,
    actor: Actor,
    delegation_id: str,
    order: DelegationStatusOrder,
) -> Delegation:
    """The delegation with its new state; Conflict if it does not allow that, NotFound if it is others'."""
    actor.require(Permission.DELEGATIONS_WRITE)
    own = _own(session, actor)
    row = delegations.by_id(
        session, organization_id=own.id, delegation_id=delegation_id, for_update=True
    )
    if row is None:
        raise NotFound("delegation", delegation=delegation_id)
    is_owner = row.organization_id == own.id
    match order.status, row.state, is_owner:
        case "accepted", "offered", False:
            _accept(env, row)
        case "declined", "offered", False:
            _end(env, session, row, "declined", order.reason)
        case "declined", "asked", True:
            row.state, row.reason, row.ended_at = "declined", order.reason, env.now()
        case "granted", "asked", True:
            _sign(env, session, own, row)
            _accept(env, row)  # the issuer asked for it
        case "withdrawn", ("offered" | "active"), True:
            with coalescing(env, session):
                for each in _one_right(session, row):
                    if each.state in {"offered", "active"}:
                        _end(env, session, each, "withdrawn", order.reason)
        case _:
            raise Conflict("delegation_state", state=f"delegation_{row.state}", wanted=order.status)
    _note_down(env, session, actor, f"delegation.{order.status}", row)
    return row


def authorise_named(
    env: Environment,
    session: Session,
    actor: Actor,
    owner: Organization,
    code: str,
    slugs: Sequence[str],
) -> None:
    """Sign an authorisation for each organisation that a definition names and that has none for it yet."""
    for slug in slugs:
        issuer = organizations.by_slug(session, slug)
        if issuer is None or issuer.id == owner.id:
            continue
        known = delegations.between(session, organization_id=owner.id, issuer_did=issuer.did)
        if any(row.covers(code) and row.state in {"offered", "active"} for row in known):
            continue
        order = GrantOrder(issuer=slug, definitions=[code])
        row = _new(env, session, owner, issuer.did, issuer, order)
        _sign(env, session, owner, row)
        _note_down(env, session, actor, "delegation.granted", row)


def authority(
    env: Environment,
    session: Session,
    actor: Actor,
    owner: Organization,
    issuer: Organization,
    code: str,
) -> Delegation | None:
    """What an issuer issues an owner's definition under; None if there is nothing.

    Issuing under an offer accepts it. An issuer that has come to sign as another DID is given its
    authorisation anew for it: the owner let the organisation issue, and a credential names the DID.
    """
    now = env.now()
    known = [
        row
        for row in delegations.of_organization(session, organization_id=issuer.id)
        if row.organization_id == owner.id
        and row.issuer_id == issuer.id
        and row.state in {"offered", "active"}
        and row.covers(code)
        and _is_running(row, now)
    ]
    present = [row for row in known if row.issuer_did == issuer.did]
    for row in present:
        if row.quota is None or _has_room(session, row):
            if row.state == "offered":
                _accept(env, row)
                _note_down(env, session, actor, "delegation.accepted", row)
            return row
    if present:
        raise Conflict("quota_used", quota=present[0].quota, field="/definition")
    renewed = {
        row.renews_id
        for row in delegations.of_organization(session, organization_id=issuer.id)
        if row.renews_id is not None
    }
    for row in known:
        if row.id not in renewed and not owner.is_elsewhere:
            return _for_present_did(env, session, actor, owner, issuer, row)
    return None


def _is_running(row: Delegation, now: datetime) -> bool:
    return row.valid_from <= now and (row.valid_until is None or now <= row.valid_until)


def room(session: Session, row: Delegation) -> int | None:
    """How many more may be issued under an authorisation as it stands now; None if its owner set no bound."""
    if row.quota is None:
        return None
    under = (
        awards.count_under(session, delegation_id=each.id) for each in _one_right(session, row)
    )
    return max(0, row.quota - sum(under))


def _has_room(session: Session, row: Delegation) -> bool:
    """Held until the transaction ends, so that two cannot take the last one."""
    held = delegations.hold(session, organization_id=row.organization_id, delegation_id=row.id)
    used = sum(
        awards.count_under(session, delegation_id=each.id) for each in _one_right(session, row)
    )
    return held is not None and held.quota is not None and used < held.quota


def _for_present_did(
    env: Environment,
    session: Session,
    actor: Actor,
    owner: Organization,
    issuer: Organization,
    before: Delegation,
) -> Delegation | None:
    """The same right for the DID that the issuer signs as now; None if it was withdrawn meanwhile."""
    held = delegations.hold(session, organization_id=owner.id, delegation_id=before.id)
    if held is None or held.state not in {"offered", "active"}:
        return None
    if held.quota is not None and not _has_room(session, held):
        raise Conflict("quota_used", quota=held.quota, field="/definition")
    terms = GrantOrder(
        issuer=issuer.slug, definitions=before.codes, families=before.families, note=before.note
    )
    row = _new(env, session, owner, issuer.did, issuer, terms)
    row.quota, row.valid_until, row.renews_id = before.quota, before.valid_until, before.id
    _sign(env, session, owner, row)
    _accept(env, row)
    _note_down(env, session, actor, "delegation.renewed", row)
    return row


def _one_right(session: Session, row: Delegation) -> list[Delegation]:
    """An authorisation and those that it was given anew as for another DID of its issuer: one word of the owner."""
    rest = delegations.of_organization(session, organization_id=row.organization_id)
    found = [row]
    for each in found:
        for other in rest:
            if other not in found and (other.renews_id == each.id or each.renews_id == other.id):
                found.append(other)
    return found


def _own(session: Session, actor: Actor) -> Organization:
    found = organizations.by_id(session, actor.own_organization())
    if found is None:
        raise NotFound("organization")
    return found


def _require_did(text: str) -> None:
    if not text.startswith("did:"):
        raise NotFound("organization", organization=text)
    try:
        check_did(text)
    except Malformed as error:
        raise InvalidInput(FieldError("/issuer", "did")) from error


def _require_lines(session: Session, owner: Organization, order: _Lines) -> None:
    given = order.model_dump(mode="json", by_alias=True)
    found = [FieldError(field, "personal_number") for field in personal_number_fields(given)]
    for number, code in enumerate(order.definitions):
        if definitions.line(session, organization_id=owner.id, code=code) is None:
            found.append(FieldError(f"/definitions/{number}", "gap.unknown_definition", code=code))
    if found:
        raise InvalidInput(*found)


def _new(
    env: Environment,
    session: Session,
    owner: Organization,
    did: str,
    issuer: Organization | None,
    order: _Lines,
) -> Delegation:
    now = env.now()
    delegation_id = env.new_id()
    row = Delegation(
        id=delegation_id,
        organization_id=owner.id,
        issuer_id=issuer.id if issuer else None,
        issuer_did=did,
        codes=list(dict.fromkeys(order.definitions)),
        families=list(dict.fromkeys(order.families)),
        state="asked",
        note=order.note,
        valid_from=now,
        url=env.addresses.authorization(owner.slug, delegation_id),
        created_at=now,
    )
    session.add(row)
    return row


def _sign(env: Environment, session: Session, owner: Organization, row: Delegation) -> None:
    now = env.now()
    status_list, index = next_index(env, session, owner, "revocation")
    issuer = organizations.by_id(session, row.issuer_id) if row.issuer_id else None
    document = authorization(
        Authorization(
            url=row.url,
            issuer_did=row.issuer_did,
            issuer_name=issuer.name_sv if issuer else row.issuer_did,
            lines=[env.addresses.definition_line(owner.slug, code) for code in row.codes],
            families=[env.addresses.definition_line(owner.slug, code) for code in row.families],
            codes=[*row.codes, *(f"{family}-…" for family in row.families)],
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            status=StatusEntry(status_list.url, "revocation", index),
        ),
        _shown(owner),
        country=owner.country,
        vocabulary=env.vocabulary,
    )
    row.body = secure(env, session, owner, FORMATS["ldp_vc"], document, now).body
    row.status_list_id, row.status_index = status_list.id, index
    row.granted_at = now
    # one that lives elsewhere accepts by naming it in what it issues
    row.state = "offered" if issuer is not None and not issuer.is_elsewhere else "active"
    session.flush()


def _accept(env: Environment, row: Delegation) -> None:
    row.state, row.accepted_at = "active", env.now()


def _end(
    env: Environment,
    session: Session,
    row: Delegation,
    state: Literal["declined", "withdrawn"],
    reason: str | None,
) -> None:
    """The bit, and the notice with its date."""
    owner = organizations.by_id(session, row.organization_id)
    if owner is None or row.status_list_id is None or row.status_index is None:
        raise NotFound("delegation", delegation=row.id)
    now = env.now()
    notice = withdrawal(
        row.url, _shown(owner), country=owner.country, vocabulary=env.vocabulary, now=now
    )
    row.withdrawal = secure(env, session, owner, FORMATS["ldp_vc"], notice, now).body
    row.state, row.reason, row.ended_at = state, reason, now
    put_bit(
        env,
        session,
        session.get_one(StatusList, row.status_list_id),
        row.status_index,
        value=True,
    )
    definitions.no_longer_named(session, organization_id=owner.id, delegation=row)


def _shown(owner: Organization) -> Owner:
    return Owner(did=owner.did, names={"sv": owner.name_sv, "en": owner.name_en}, url=owner.url)


def _note_down(
    env: Environment, session: Session, actor: Actor, action: str, row: Delegation
) -> None:
    """In the books of both sides."""
    for organization_id in {row.organization_id, row.issuer_id} - {None}:
        audit(
            env,
            session,
            actor,
            action,
            row.id,
            organization_id=organization_id,
            issuer=row.issuer_did,
        )


def require_authority(
    env: Environment,
    session: Session,
    actor: Actor,
    owner: Organization,
    issuer: Organization,
    code: str,
    reference: str,
) -> Delegation:
    """What an issuer issues under; Forbidden if its owner does not let it."""
    found = authority(env, session, actor, owner, issuer, code)
    if found is None:
        raise Forbidden("not_authorised_issuer", definition=reference, issuer=issuer.slug)
    return found


def own_delegation(session: Session, actor: Actor, delegation_id: str) -> Delegation:
    """A delegation that the actor's organisation is a party of, else NotFound."""
    actor.require(Permission.DEFINITIONS_READ)
    found = delegations.by_id(
        session, organization_id=actor.own_organization(), delegation_id=delegation_id
    )
    if found is None:
        raise NotFound("delegation", delegation=delegation_id)
    return found


def own_delegations(session: Session, actor: Actor) -> list[Delegation]:
    """All delegations that the actor's organisation is a party of, newest first."""
    actor.require(Permission.DEFINITIONS_READ)
    return delegations.of_organization(session, organization_id=actor.own_organization())


def own_did(env: Environment, actor: Actor) -> str:
    """The DID of the actor's organisation."""
    with env.reading() as session:
        return _own(session, actor).did
