"""A learner's credential on paper: a certificate, or the badge by itself.

Paper is passed on and lost, so only a share link stands on it, which the learner may withdraw.
"""

from typing import Literal

from sqlalchemy.orm import Session

from kpass_vc.actions.define import source_of
from kpass_vc.actions.picture import badge_face, badge_text, marked
from kpass_vc.actions.share import code_of, open_holder
from kpass_vc.badges import draw
from kpass_vc.certificates import Certificate, write_badge, write_certificate
from kpass_vc.compose.narrative import notice
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.language import Language, say
from kpass_vc.links import written_code
from kpass_vc.model.dates import day_text
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records.award import Award
from kpass_vc.records.definition import Found
from kpass_vc.records.organization import Organization
from kpass_vc.records.share_link import ShareLink

Paper = Literal["certificate", "badge"]


def on_paper(
    env: Environment, session: Session, token: str, share_id: str, form: Paper
) -> tuple[bytes, str]:
    """The PDF and the name of its file, in the language of an open share link.

    NotFound where the link has ended; Conflict where the credential is not to be relied upon any more.
    """
    held = open_holder(env, session, token)
    link = next((each for each in held.links if each.id == share_id), None)
    if link is None or not link.is_open(env.now()):
        raise NotFound("share_link_ended")
    if held.award.state != "active" or held.compromised:
        raise Conflict("not_for_paper")
    found = definitions.by_id(session, held.award.definition_version_id)
    issuer = organizations.by_id(session, held.award.organization_id)
    if found is None or issuer is None:
        raise NotFound("holder_link")
    language: Language = "en" if link.language == "en" else "sv"
    written = _certificate(env, held.award, link, found, issuer, language)
    write = write_certificate if form == "certificate" else write_badge
    return write(written, env.now()), f"{found[1].code}.{language}.{form}.pdf"


def _certificate(
    env: Environment,
    award: Award,
    link: ShareLink,
    found: Found,
    issuer: Organization,
    language: Language,
) -> Certificate:
    version, _, owner = found
    source = source_of(version)
    names = {"issuer": issuer.name(language), "owner": owner.name(language)}
    address = env.addresses.share(code_of(env, link))

    def sentence(key: str) -> str:
        return say(language, f"certificate.{key}", **names)

    marks = []
    if award.is_test:
        marks.append(say(language, "holder.status_text.test", **names))
    if source.illustrative:
        marks.append(notice(owner.name(language), language))
    until = day_text(award.valid_until) if award.valid_until else say(language, "holder.no_end")
    return Certificate(
        language=language,
        kind=sentence("kind"),
        title=marked(version.title(language), language, is_test=award.is_test),
        notice=" ".join(marks),
        holder=award.holder_name or "",
        given=say(language, "holder.held_by"),
        means=sentence("means"),
        outcomes=tuple(
            outcome.text.get(language) or outcome.text["sv"]
            for outcome in source.learning_outcomes
            if outcome.text
        ),
        said=(
            (say(language, "holder.assessed"), award.assessed_on.isoformat()),
            (say(language, "holder.issued"), day_text(award.issued_at)),
            (say(language, "holder.until"), until),
            (say(language, "holder.issuer"), issuer.name(language)),
            (
                say(language, "holder.owner"),
                sentence("owner_same" if owner.id == issuer.id else "owner_lets"),
            ),
        ),
        verify=sentence("verify"),
        address=address,
        codelabel=sentence("code"),
        code=written_code(code_of(env, link)),
        qrtext=sentence("qr"),
        picture=draw(badge_face(found, language, is_test=award.is_test)),
        picturetext=badge_text(found, language),
        author=issuer.name(language),
    )
