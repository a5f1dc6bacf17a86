"""The VC-API (W3C VCALM): issue, verify, derive, status, presentations.

Its own answers: 201 for what was made, 200 for what verified, and 400 with the problems for what did not.
The profile is `standard`: what the specifications say, and no more.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from kpass_vc.actions.issue_vc import change_vc_status, derive_vc, issue_vc
from kpass_vc.actions.verify import verify, verify_presentation
from kpass_vc.api.problems import PROBLEMS, SECURITY, STATUS_LIST, VCDM
from kpass_vc.authz import Actor
from kpass_vc.edge import CurrentActor, Env, JsonBody, ReaderLanguage, WriteTx, optional_actor
from kpass_vc.errors import FieldError, InvalidInput
from kpass_vc.language import Language, say
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.verification import STANDARD, Finding, PresentationReport, VerificationReport

router = APIRouter(tags=["VC-API"])

OptionalActor = Annotated[Actor | None, Depends(optional_actor)]

_KIND: Final = {
    "parsed": f"{VCDM}PARSING_ERROR",
    "structure": f"{VCDM}MALFORMED_VALUE_ERROR",
    "terms": f"{SECURITY}DATA_LOSS_DETECTION_ERROR",
    "did": f"{SECURITY}INVALID_VERIFICATION_METHOD",
    "key": f"{SECURITY}INVALID_VERIFICATION_METHOD",
    "proof": f"{SECURITY}PROOF_VERIFICATION_ERROR",
    "dates": f"{VCDM}RANGE_ERROR",
    "status": f"{STATUS_LIST}STATUS_VERIFICATION_ERROR",
    "holder": f"{SECURITY}PROOF_VERIFICATION_ERROR",
    "audience": f"{SECURITY}PROOF_VERIFICATION_ERROR",
}
"""The problem type of a check that failed, where its cause has none of its own."""
_CODE: Final = {
    ("key", "purpose"): f"{SECURITY}INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
    ("audience", "challenge"): f"{SECURITY}INVALID_CHALLENGE_ERROR",
    ("audience", "domain"): f"{SECURITY}INVALID_DOMAIN_ERROR",
    ("status", "list_out_of_date"): f"{STATUS_LIST}STATUS_RETRIEVAL_ERROR",
    ("status", "not_fetched"): f"{STATUS_LIST}STATUS_RETRIEVAL_ERROR",
    ("status", "not_available"): f"{STATUS_LIST}STATUS_RETRIEVAL_ERROR",
}

_CREDENTIAL: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:key:z6MkgZRUxx6XCjd9mRniZjznVJDTu4EmyFZ7Zm8mH8KusQz9",
    "credentialSubject": {"id": "did:example:holder"},
}


_MADE: Final[dict[int | str, dict[str, Any]]] = {
    201: {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["verifiableCredential"],
                    "properties": {"verifiableCredential": {"type": "object"}},
                }
            }
        }
    }
}
_PROBLEMS_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["verified", "problemDetails"],
    "properties": {
        "verified": {"type": "boolean"},
        "problemDetails": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "format": "uri"},
                    "title": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_JUDGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {"schema": _PROBLEMS_SCHEMA}}},
    400: {
        "description": "Not verified",
        "content": {"application/json": {"schema": _PROBLEMS_SCHEMA}},
    },
}
_CHANGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "credentialId": {"type": "string"},
                        "status": {"type": "boolean"},
                    },
                }
            }
        }
    }
}


def _accepts(member: str, options: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {member: {"type": "object"}, "options": {"type": "object"}}
    schema = {"type": "object", "required": [member], "properties": properties}
    example = {member: _CREDENTIAL, "options": options}
    content = {"schema": schema, "examples": {"example1": {"value": example}}}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


@router.post(
    "/issuers/{name}/credentials/issue",
    summary="Issue a credential with an instance",
    status_code=201,
    responses=_MADE,
    openapi_extra=_accepts("credential", {}),
)
def post_issue_with(
    name: str, env: Env, session: WriteTx, actor: OptionalActor, body: JsonBody
) -> JSONResponse:
    """Signs a whole credential, VCDM 1.1 or 2.0, as the instance `name` does.

    With a token of the instance's organisation, unless the instance is open. `options.mandatoryPointers`
    says what a derived credential must show (ecdsa-sd-2023).
    """
    return _issue(env, session, actor, name, body)


@router.post(
    "/credentials/issue",
    summary="Issue a credential",
    status_code=201,
    responses=_MADE,
    openapi_extra=_accepts("credential", {}),
)
def post_issue(env: Env, session: WriteTx, actor: CurrentActor, body: JsonBody) -> JSONResponse:
    """The same with the first instance of the token's organisation."""
    return _issue(env, session, actor, None, body)


def _issue(
    env: Env, session: WriteTx, actor: Actor | None, name: str | None, body: JsonObject
) -> JSONResponse:
    credential, options = _object(body, "credential"), _options(body)
    secured = issue_vc(env, session, actor, name, credential, options)
    return JSONResponse({"verifiableCredential": secured}, status_code=201)


@router.post(
    "/credentials/verify",
    summary="Verify a credential by the standards",
    responses=_JUDGED,
    openapi_extra=_accepts("verifiableCredential", {}),
)
def post_verify(env: Env, body: JsonBody, language: ReaderLanguage) -> JSONResponse:
    """200 if every check of the profile `standard` passed, else 400 with the problems."""
    credential = _object(body, "verifiableCredential")
    _options(body)
    report = verify(env, compact(credential), STANDARD)
    return _answer(report.verified, _problems(report, language))


@router.post(
    "/presentations/verify",
    summary="Verify a presentation",
    responses=_JUDGED,
    openapi_extra=_accepts(
        "verifiablePresentation", {"challenge": "1f44d55f", "domain": "a.example"}
    ),
)
def post_verify_presentation(env: Env, body: JsonBody, language: ReaderLanguage) -> JSONResponse:
    """200 if the presentation and all credentials in it verified, else 400 with the problems.

    `options.challenge` and `options.domain` are what its proofs must answer.
    """
    presentation = _object(body, "verifiablePresentation")
    options = _options(body)
    report = verify_presentation(
        env,
        compact(presentation),
        challenge=_text(options, "challenge"),
        domain=_text(options, "domain"),
    )
    problems = _problems(report, language)
    for credential in report.credentials:
        problems += _problems(credential, language)
    return _answer(report.verified, problems)


@router.post(
    "/credentials/derive",
    summary="Derive a credential that shows a part",
    status_code=201,
    responses=_MADE,
    openapi_extra=_accepts(
        "verifiableCredential", {"selectivePointers": ["/credentialSubject/id"]}
    ),
)
def post_derive(env: Env, body: JsonBody) -> JSONResponse:
    """What is mandatory, and what `options.selectivePointers` choose, with a proof of just that (ecdsa-sd-2023)."""
    derived = derive_vc(env, _object(body, "verifiableCredential"), _options(body))
    return JSONResponse({"verifiableCredential": derived}, status_code=201)


@router.post(
    "/credentials/status",
    summary="Revoke a credential",
    responses=_CHANGED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["credentialId", "credentialStatus"],
                        "properties": {
                            "credentialId": {"type": "string"},
                            "credentialStatus": {"type": "object"},
                            "status": {"type": "boolean"},
                        },
                    },
                    "examples": {
                        "example1": {
                            "value": {
                                "credentialId": "urn:uuid:9f6f1c4b-6a53-4a5c-8f04-0c2b7a6d1e22",
                                "credentialStatus": {
                                    "type": "BitstringStatusListEntry",
                                    "statusPurpose": "revocation",
                                },
                                "status": True,
                            }
                        }
                    },
                }
            },
        }
    },
)
def post_status(env: Env, session: WriteTx, actor: CurrentActor, body: JsonBody) -> JSONResponse:
    """Sets the bit of what was last issued under `credentialId` by an instance of the token's organisation."""
    credential_id = body.get("credentialId")
    if not isinstance(credential_id, str):
        raise InvalidInput(FieldError("/credentialId", "type", expected="string"))
    status = _object(body, "credentialStatus")
    if status.get("type") != "BitstringStatusListEntry":
        expected = "BitstringStatusListEntry"
        raise InvalidInput(FieldError("/credentialStatus/type", "enum", expected=expected))
    value = body.get("status", True)
    if not isinstance(value, bool):
        raise InvalidInput(FieldError("/status", "type", expected="boolean"))
    purpose = str(status.get("statusPurpose", "revocation"))
    change_vc_status(env, session, actor, credential_id, purpose, value=value)
    return JSONResponse({"credentialId": credential_id, "status": value})


def _object(body: JsonObject, member: str) -> JsonObject:
    if member not in body:
        raise InvalidInput(FieldError(f"/{member}", "required"))
    found = body[member]
    if not isinstance(found, dict):
        raise InvalidInput(FieldError(f"/{member}", "type", expected="object"))
    return found


def _options(body: JsonObject) -> JsonObject:
    """The options, of which we read those we know: others are for other implementations."""
    return _object(body, "options") if "options" in body else {}


def _text(options: JsonObject, member: str) -> str | None:
    value = options.get(member)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(FieldError(f"/options/{member}", "type", expected="string"))
    return value


def _answer(verified: bool, problems: list[dict[str, object]]) -> JSONResponse:  # noqa: FBT001 - the one thing said
    body = {"verified": verified, "problemDetails": problems}
    return JSONResponse(body, status_code=200 if verified else 400)


def _problems(
    report: VerificationReport | PresentationReport, language: Language
) -> list[dict[str, object]]:
    wrong: Iterable[Finding] = (f for f in report.findings if f.outcome != "passed")
    return [_problem(finding, language) for finding in wrong if finding.code != "not_checked"]


def _problem(finding: Finding, language: Language) -> dict[str, object]:
    kind = _CODE.get((finding.check, finding.code), _KIND[finding.check])
    if finding.cause is not None and finding.check not in {"parsed", "structure"}:
        kind = PROBLEMS[type(finding.cause)][1]
    return {
        "type": kind,
        "title": say(language, f"check.name.{finding.check}"),
        "detail": finding.sentence(language),
    }
