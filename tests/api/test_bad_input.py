"""Bad input over HTTP: a problem that names field and rule, never a 500, and nothing is left behind."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kpass_vc.api.verifications import EXAMPLE
from kpass_vc.model.document import MAX_BYTES, MAX_PICTURE
from kpass_vc.records.award import IdempotencyKey
from tests.api.http import PROBLEM, Headers, Json, Service, bearer, code_of, outcomes, rows
from tests.world import definition_document, issue_order

PERSONAL_NUMBER = "19811218-9876"
ROUTES = ("credentials", "definitions", "organizations", "tokens", "credential_status",
          "definition_status")  # fmt: skip


def organization_order() -> Json:
    name = {"sv": "Nordiska Textilakademin (påhittad)", "en": "Nordic Textile Academy (fictitious)"}
    return {"slug": "nordiska-textilakademin", "name": name}


def route(service: Service, name: str) -> tuple[str, Headers, Json]:
    """Where to post, as whom, and a body that is taken."""
    match name:
        case "credentials":
            return "/v1/credentials", service.issuer, issue_order()
        case "definitions":
            body = definition_document() | {"version": "3.0.0"}
            return "/v1/definitions", service.owner, body
        case "organizations":
            return "/v1/organizations", service.operator, organization_order()
        case "tokens":
            return "/v1/organizations/sobona/tokens", service.operator, {"label": "x"}
        case "credential_status":
            body = {"status": "revoked", "reason": "other"}
            return f"/v1/credentials/{service.issued()['id']}/status", service.issuer, body
        case _:
            body = {"status": "published"}
            return f"/v1/definitions/{service.draft()['id']}/status", service.owner, body


@contextmanager
def nothing_left_behind(service: Service) -> Iterator[None]:
    """No table and no key folder has more in it afterwards."""
    folder = service.world.env.key_stores["file"].folder  # type: ignore[attr-defined]
    before = rows(service.world.env), sorted(folder.iterdir())
    yield
    assert (rows(service.world.env), sorted(folder.iterdir())) == before


def problem(reply: Response, status: int) -> Json:
    """The problem that was answered; it must be a whole one."""
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == PROBLEM
    found: Json = reply.json()
    assert found["status"] == status
    assert found["type"]
    assert found["title"]
    return found


def rules(found: Json) -> set[tuple[str, str]]:
    """Every field with the rule that it breaks."""
    return {(entry["field"], entry["rule"]) for entry in found["errors"]}


def with_member(body: Json, spelled: str) -> bytes:
    """A body with one more member, spelled out."""
    return (json.dumps(body)[:-1] + "," + spelled + "}").encode("utf-8", "surrogatepass")


UNREADABLE: dict[str, tuple[Callable[[Json], bytes], str]] = {
    "duplicate keys": (
        lambda body: with_member(body, json.dumps(dict([next(iter(body.items()))]))[1:-1]),
        "duplicate_key",
    ),
    "NaN": (lambda body: with_member(body, '"x": NaN'), "number"),
    "Infinity": (lambda body: with_member(body, '"x": -Infinity'), "number"),
    "1e400": (lambda body: with_member(body, '"x": 1e400'), "number"),
    "2^53": (lambda body: with_member(body, '"x": 9007199254740992'), "number"),
    "5,000 digits": (lambda body: with_member(body, '"x": ' + "9" * 5000), "number"),
    "depth 1,000": (lambda body: with_member(body, '"x": ' + "[" * 1000 + "]" * 1000), "depth"),
    "depth 1,000 of objects": (
        lambda body: with_member(body, '"x": ' + '{"x": ' * 1000 + "1" + "}" * 1000), "depth",
    ),
    "depth 100,000": (
        lambda body: with_member(body, '"x": ' + "[" * 100_000 + "]" * 100_000), "depth",
    ),
    "depth 33": (lambda body: with_member(body, '"x": ' + "[" * 33 + "]" * 33), "depth"),
    "lone surrogate": (lambda body: with_member(body, r'"x": "\ud800"'), "character"),
    "lone low surrogate": (lambda body: with_member(body, r'"x": "a\udc00b"'), "character"),
    "lone surrogate in a name": (lambda body: with_member(body, r'"\ud800": 1'), "character"),
    "encoded surrogate": (lambda body: with_member(body, '"x": "\ud800"'), "encoding"),
    "escaped NUL": (lambda body: with_member(body, r'"x": "\u0000"'), "character"),
    "escaped control character": (lambda body: with_member(body, r'"x": "\u001b"'), "character"),
    "DEL": (lambda body: with_member(body, '"x": "\x7f"'), "character"),
    "noncharacter": (lambda body: with_member(body, '"x": "\ufffe"'), "character"),
    "raw control character": (lambda body: with_member(body, '"x": "\x01"'), "syntax"),
    "not UTF-8": (lambda body: with_member(body, '"x": "') + b'\xff"}', "encoding"),
    "UTF-16": (lambda body: json.dumps(body).encode("utf-16"), "encoding"),
    "byte order mark": (lambda body: b"\xef\xbb\xbf" + json.dumps(body).encode(), "syntax"),
    "comment": (lambda body: json.dumps(body).encode() + b"// x", "syntax"),
    "broken off": (lambda body: json.dumps(body).encode()[:-1], "syntax"),
    "two documents": (lambda body: json.dumps(body).encode() * 2, "syntax"),
    "empty": (lambda _: b"", "syntax"),
    "blank": (lambda _: b"  \n", "syntax"),
    "an array": (lambda body: json.dumps([body]).encode(), "not_object"),
    "a text": (lambda _: b'"credential"', "not_object"),
    "a number": (lambda _: b"1", "not_object"),
    "null": (lambda _: b"null", "not_object"),
    "plain text": (lambda _: b"definition=sobona", "syntax"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROUTES)
def test_what_is_not_the_json_we_take_is_refused_with_its_rule(service: Service, name: str) -> None:
    address, headers, body = route(service, name)

    with nothing_left_behind(service):
        for label, (spelled, rule) in UNREADABLE.items():
            reply = service.http.post(address, headers=headers, content=spelled(body))
            found = problem(reply, 422 if rule == "character" else 400)
            assert (label, found["rule"]) == (label, rule)
            if rule == "character":
                assert "field" in found or label.endswith("in a name")


# What people paste along with a credential does not make it another
TOLERATED = {"byte order mark", "comment", "an array"}
NOTHING_LIKE_IT = {
    "UTF-16", "empty", "blank", "a text", "a number", "null", "plain text", "not UTF-8",
    "encoded surrogate",
}  # fmt: skip


@pytest.mark.parametrize("label", sorted(UNREADABLE.keys() - TOLERATED - NOTHING_LIKE_IT))
def test_what_cannot_be_read_is_a_report_that_says_so_where_credentials_are_verified(
    service: Service, label: str
) -> None:
    spelled, _ = UNREADABLE[label]

    with nothing_left_behind(service):
        report = service.report(spelled(EXAMPLE))

    assert (report["verdict"], report["verified"]) == ("refused", False)
    assert outcomes(report).pop("parsed") == "failed"
    assert {outcome for name, outcome in outcomes(report).items() if name != "parsed"} == {
        "unknown"
    }


@pytest.mark.parametrize("label", sorted(TOLERATED))
def test_what_stands_around_a_credential_does_not_hinder_verifying_it(
    service: Service, label: str
) -> None:
    spelled, _ = UNREADABLE[label]

    assert service.report(spelled(EXAMPLE))["verified"] is True


@pytest.mark.parametrize("label", sorted(NOTHING_LIKE_IT))
def test_what_is_nothing_like_a_credential_is_a_problem_that_says_what_is_taken(
    service: Service, label: str
) -> None:
    spelled, _ = UNREADABLE[label]

    with nothing_left_behind(service):
        reply = service.http.post("/v1/verifications", content=spelled(EXAMPLE))

    assert problem(reply, 422)["rule"] == "unrecognised"


@pytest.mark.parametrize("name", [*ROUTES, "verifications"])
@pytest.mark.parametrize("size", [1, 20 * MAX_BYTES])
@pytest.mark.parametrize("length", ["declared", "not declared"])
def test_more_than_one_mebibyte_is_not_read_and_no_picture_of_more_than_five(
    service: Service, name: str, size: int, length: str
) -> None:
    address, headers, body = (
        ("/v1/verifications", {}, EXAMPLE) if name == "verifications" else route(service, name)
    )
    limit = MAX_PICTURE if name == "verifications" else MAX_BYTES
    whole = with_member(body, f'"x": "{"a" * (limit + size)}"')
    parts = (whole[at : at + 65536] for at in range(0, len(whole), 65536))
    content = whole if length == "declared" else parts

    with nothing_left_behind(service):
        reply = service.http.post(address, headers=headers, content=content)

    found = problem(reply, 413)
    assert found["code"] == "too_large"
    assert found["type"] == "urn:kpass:problem:too-large"


WRONG: list[tuple[str, tuple[str, ...], object, str]] = [
    ("credentials", ("unknown",), 1, "unknown_field"),
    ("credentials", ("holder", "personnummer"), "x", "unknown_field"),
    ("credentials", ("holder",), "Amina", "type"),
    ("credentials", ("holder",), None, "type"),
    ("credentials", ("holder", "name"), 7, "type"),
    ("credentials", ("holder", "name"), "", "length"),
    ("credentials", ("holder", "name"), "a" * 201, "length"),
    ("credentials", ("holder", "name"), "a\nb", "pattern"),
    ("credentials", ("holder", "id"), "amina", "pattern"),
    ("credentials", ("holder", "id"), "did:x:", "pattern"),
    ("credentials", ("holder", "id"), "did:key:zQm", "did"),
    ("credentials", ("holder", "email"), "amina", "pattern"),
    ("credentials", ("definition",), ["sobona/SOB-OPTO-01"], "type"),
    ("credentials", ("assessedOn",), "igår", "date"),
    ("credentials", ("assessedOn",), "2026-02-30", "date"),
    ("credentials", ("assessedOn",), 20260211, "date"),
    ("credentials", ("assessedOn",), "9999-12-31", "assessed_on"),
    ("credentials", ("assessedOn",), "0001-01-01", "assessed_on"),
    ("credentials", ("validUntil",), "9999-12-31", "valid_until_too_late"),
    ("credentials", ("validUntil",), "2001-01-01", "already_expired"),
    ("credentials", ("languages",), "sv", "type"),
    ("credentials", ("languages",), [], "count"),
    ("credentials", ("languages",), ["sv", "sv"], "unique"),
    ("credentials", ("languages",), ["sv", "fi"], "enum"),
    ("credentials", ("result",), "failed", "enum"),
    ("credentials", ("externalReference",), {"a": 1}, "type"),
    ("credentials", ("evidence",), [{}], "evidence_empty"),
    ("credentials", ("evidence",), [{"url": "javascript:alert(1)"}], "pattern"),
    ("credentials", ("evidence",), [{"name": "x"}] * 11, "count"),
    ("definitions", ("unknown",), 1, "unknown_field"),
    ("definitions", ("workload", "x"), 1, "unknown_field"),
    ("definitions", ("title",), "Fibersvetsning", "type"),
    ("definitions", ("title", "sv"), "\u202eabc", "control_character"),
    ("definitions", ("title", "sv"), " ", "blank"),
    ("definitions", ("code",), "x", "pattern"),
    ("definitions", ("version",), "1", "pattern"),
    ("definitions", ("version",), 1, "type"),
    ("definitions", ("owner",), "Ö", "pattern"),
    ("definitions", ("learning_outcomes",), {}, "type"),
    ("definitions", ("level", "level"), "3", "type"),
    ("definitions", ("workload", "hours"), -1, "range"),
    ("definitions", ("credential_kind",), "diploma", "enum"),
    ("definitions", ("validity", "duration"), "3 år", "duration"),
    ("organizations", ("unknown",), 1, "unknown_field"),
    ("organizations", ("slug",), "Åre", "pattern"),
    ("organizations", ("slug",), "admin", "reserved"),
    ("organizations", ("name",), "Sobona", "type"),
    ("organizations", ("name", "en"), None, "type"),
    ("organizations", ("url",), "ftp://x.example", "pattern"),
    ("organizations", ("email",), "x", "pattern"),
    ("organizations", ("country",), "Sverige", "pattern"),
    ("tokens", ("unknown",), 1, "unknown_field"),
    ("tokens", ("label",), "", "length"),
    ("tokens", ("permissions",), [], "count"),
    ("tokens", ("permissions",), ["organizations:write"], "enum"),
    ("tokens", ("permissions",), ["everything"], "enum"),
    ("tokens", ("expiresInDays",), 0, "range"),
    ("tokens", ("expiresInDays",), True, "type"),
    ("credential_status", ("status",), "gone", "enum"),
    ("credential_status", ("reason",), "because", "enum"),
    ("credential_status", ("unknown",), 1, "unknown_field"),
    ("definition_status", ("status",), "draft", "enum"),
    ("definition_status", ("unknown",), 1, "unknown_field"),
]


@pytest.mark.parametrize(("name", "place", "value", "rule"), WRONG, ids=lambda part: str(part)[:30])
def test_a_wrong_member_is_refused_and_named(
    service: Service, name: str, place: tuple[str, ...], value: object, rule: str
) -> None:
    address, headers, body = route(service, name)
    changed = deepcopy(body)
    target = changed
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value

    with nothing_left_behind(service):
        reply = service.http.post(address, headers=headers, json=changed)

    field = "/" + "/".join(place)
    found = problem(reply, 422)
    named = {(at, broken) for at, broken in rules(found) if at.startswith(field)}
    assert rule in {broken for _, broken in named}
    assert all(entry["detail"] for entry in found["errors"])


@pytest.mark.parametrize("name", ROUTES)
def test_a_body_without_a_member_that_is_needed_is_refused(service: Service, name: str) -> None:
    address, headers, _ = route(service, name)

    with nothing_left_behind(service):
        reply = service.http.post(address, headers=headers, json={})

    assert "required" in {rule for _, rule in rules(problem(reply, 422))}


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_problem_is_told_in_the_readers_language(service: Service, language: str) -> None:
    headers = service.issuer | {"Accept-Language": language}

    reply = service.http.post("/v1/credentials", headers=headers, json={})

    assert reply.headers["Content-Language"] == language
    said = {"sv": "/assessedOn saknas.", "en": "/assessedOn is required."}[language]
    assert said in [entry["detail"] for entry in reply.json()["errors"]]


PERSONAL: list[tuple[str, tuple[str | int, ...]]] = [
    ("credentials", ("holder", "name")),
    ("credentials", ("externalReference",)),
    ("credentials", ("evidence", 0, "name")),
    ("credentials", ("evidence", 0, "narrative")),
    ("credentials", ("evidence", 0, "genre")),
    ("credentials", ("evidence", 0, "url")),
    ("definitions", ("title", "sv")),
    ("definitions", ("assessment", "criteria", "sv")),
    ("definitions", ("tags", 0)),
    ("organizations", ("name", "sv")),
    ("organizations", ("email",)),
    ("tokens", ("label",)),
]


@pytest.mark.parametrize(("name", "place"), PERSONAL, ids=str)
@pytest.mark.parametrize("number", [PERSONAL_NUMBER, "8112189876", "811218+9876", "198112789873"])
def test_a_personal_identity_number_in_any_field_is_refused(
    service: Service, name: str, place: tuple[str | int, ...], number: str
) -> None:
    address, headers, body = route(service, name)
    changed: Any = deepcopy(body)
    if "evidence" in place:
        changed["evidence"] = [{"name": "prov"}]
    target = changed
    for step in place[:-1]:
        target = target[step]
    text = {"url": f"https://x.example/{number}", "email": f"a.{number}@x.example"}
    target[place[-1]] = text.get(str(place[-1]), f"Amina {number}")

    with nothing_left_behind(service):
        reply = service.http.post(address, headers=headers, json=changed)

    field = "/" + "/".join(map(str, place))
    assert (field, "personal_number") in rules(problem(reply, 422))
    assert number not in reply.text


def test_of_an_idempotency_key_only_a_digest_is_kept(service: Service) -> None:
    headers = service.issuer | {"Idempotency-Key": f"kurs-{PERSONAL_NUMBER}"}

    service.http.post("/v1/credentials", headers=headers, json=issue_order())

    with service.world.reading() as session:
        kept = session.scalars(select(IdempotencyKey)).one()
    assert PERSONAL_NUMBER not in kept.key


@pytest.mark.parametrize("key", ["", "a" * 256, "kurs\t1", "k\xe5"])
def test_an_idempotency_key_that_is_none_is_refused(service: Service, key: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in service.issuer.items()]
    headers.append((b"Idempotency-Key", key.encode("latin-1")))

    with nothing_left_behind(service):
        reply = service.http.post("/v1/credentials", headers=headers, json=issue_order())

    assert ("Idempotency-Key", "idempotency_key") in rules(problem(reply, 422))


@pytest.mark.parametrize(
    ("number", "rule", "swedish", "english"),
    [
        ("212000-0143", "organization_number", "kontrollsiffra", "check digit"),
        ("21200014", "organization_number", "kontrollsiffra", "check digit"),
        ("212000-01420", "organization_number", "kontrollsiffra", "check digit"),
        ("212000014\uff12", "organization_number", "kontrollsiffra", "check digit"),
        ("811218-9876", "sole_trader", "personnummer", "personal identity number"),
        ("198112189876", "organization_number", "kontrollsiffra", "check digit"),
    ],
)
def test_a_wrong_organisation_number_is_refused_and_the_reason_said(
    service: Service, number: str, rule: str, swedish: str, english: str
) -> None:
    order = organization_order() | {"organizationNumber": number}

    with nothing_left_behind(service):
        replies = {
            language: service.http.post(
                "/v1/organizations",
                headers=service.operator | {"Accept-Language": language},
                json=order,
            )
            for language in ("sv", "en")
        }

    for language, part in (("sv", swedish), ("en", english)):
        found = problem(replies[language], 422)
        assert rules(found) == {("/organizationNumber", rule)}
        assert part in found["detail"]


@pytest.mark.parametrize("number", ["212000-0142", "2120000142", "16212000-0142", "162120000142"])
def test_a_right_organisation_number_is_kept_as_ten_digits_and_is_there_once(
    service: Service, number: str
) -> None:
    order = organization_order() | {"organizationNumber": number}

    made = service.http.post("/v1/organizations", headers=service.operator, json=order)
    with nothing_left_behind(service):
        again = service.http.post(
            "/v1/organizations", headers=service.operator, json=order | {"slug": "another"}
        )
        same = service.http.post("/v1/organizations", headers=service.operator, json=order)

    assert (made.status_code, made.json()["organizationNumber"]) == (201, "2120000142")
    assert problem(again, 409)["rule"] == "number_taken"
    assert problem(same, 409)["rule"] == "slug_taken"


@pytest.mark.parametrize(
    ("state", "rule"),
    [("draft", "definition_not_published"), ("retired", "definition_not_published"),
     ("superseded", "definition_not_published")],
)  # fmt: skip
def test_nothing_is_issued_under_a_definition_that_is_not_published(
    service: Service, state: str, rule: str
) -> None:
    service.world.published_definition(
        code="SOB-OPTO-97", authorised_issuers=["sobona"], version="1.0.0"
    )
    reference = "sobona/SOB-OPTO-97/1.0.0"
    document = definition_document() | {
        "code": "SOB-OPTO-97", "authorised_issuers": ["sobona"], "version": "2.0.0",
    }  # fmt: skip
    made = service.http.post("/v1/definitions", headers=service.owner, json=document).json()
    if state == "draft":
        reference = "sobona/SOB-OPTO-97/2.0.0"
    elif state == "superseded":
        put(service, made["id"], "published")
    else:
        found = service.http.get("/v1/definitions?q=SOB-OPTO-97").json()["definitions"][0]
        put(service, found["id"], "retired")
    order = issue_order() | {"definition": reference}

    with nothing_left_behind(service):
        reply = service.http.post("/v1/credentials", headers=service.owner, json=order)

    found = problem(reply, 409)
    assert (found["rule"], found["field"]) == (rule, "/definition")
    assert state in found["detail"]


def put(service: Service, version_id: str, status: str) -> None:
    reply = service.http.post(
        f"/v1/definitions/{version_id}/status", headers=service.owner, json={"status": status}
    )
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize(
    "reference",
    ["sobona/NO-SUCH-01", "nobody/SOB-OPTO-01", "sobona", "sobona/SOB-OPTO-01/9.9.9", "///",
     "http://elsewhere.example/o/sobona/definitions/SOB-OPTO-01", "sobona/SOB-OPTO-01/2.0.0"],
)  # fmt: skip
def test_a_definition_that_is_not_there_or_another_organisations_draft_is_not_found(
    service: Service, reference: str
) -> None:
    service.draft("2.0.0")
    order = issue_order() | {"definition": reference}

    with nothing_left_behind(service):
        reply = service.http.post("/v1/credentials", headers=service.issuer, json=order)

    assert problem(reply, 404)["code"] == "not_found"


def test_who_is_not_authorised_by_the_owner_may_not_issue(service: Service) -> None:
    with nothing_left_behind(service):
        reply = service.http.post("/v1/credentials", headers=service.owner, json=issue_order())

    assert problem(reply, 403)["rule"] == "not_authorised_issuer"


def test_an_incomplete_definition_is_not_published_and_every_gap_is_named(
    service: Service,
) -> None:
    whole = definition_document("SOB-OPTO-02")
    partial = {name: whole[name] for name in ("code", "version", "owner", "title")}
    made = service.http.post("/v1/definitions", headers=service.owner, json=partial).json()

    with nothing_left_behind(service):
        reply = service.http.post(
            f"/v1/definitions/{made['id']}/status",
            headers=service.owner,
            json={"status": "published"},
        )

    found = problem(reply, 422)
    assert len(found["errors"]) == len(made["gaps"]) >= 10
    listed = service.http.get("/v1/definitions?q=SOB-OPTO-02").json()
    assert listed["total"] == 0


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({}, "missing"),
        ({"Authorization": "Bearer"}, "missing"),
        ({"Authorization": "Bearer "}, "missing"),
        ({"Authorization": "Basic a3A6eA=="}, "missing"),
        (bearer("x"), "unknown"),
        (bearer("kp_"), "unknown"),
        (bearer("kp__"), "unknown"),
        (bearer("kp_" + "0" * 18 + "_" + "A" * 43), "unknown"),
        (bearer("kp_" + "a" * 60_000), "unknown"),
        ({"Authorization": b"Bearer kp_\xe5\xff_\x80"}, "unknown"),
    ],
    ids=range(10),
)
def test_without_a_token_that_is_known_nothing_is_issued(
    service: Service, headers: Headers, rule: str
) -> None:
    with nothing_left_behind(service):
        reply = service.http.post("/v1/credentials", headers=headers, json=issue_order())

    assert problem(reply, 401)["rule"] == rule
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="kpass"'


def test_a_token_with_another_secret_is_unknown(service: Service) -> None:
    token = service.issuer["Authorization"].removeprefix("Bearer ")
    other = token[:-1] + ("A" if token[-1] != "A" else "B")

    reply = service.http.post("/v1/credentials", headers=bearer(other), json=issue_order())

    assert problem(reply, 401)["rule"] == "unknown"


def test_a_token_that_has_run_out_or_was_withdrawn_opens_nothing(service: Service) -> None:
    short = bearer(service.world.token("stadsnat-exempel", expiresInDays=1))
    gone = service.world.token("stadsnat-exempel")
    service.http.delete(f"/v1/tokens/{gone.split('_')[1]}", headers=service.operator)
    service.world.clock.advance(days=1)

    with nothing_left_behind(service):
        expired = service.http.post("/v1/credentials", headers=short, json=issue_order())
        revoked = service.http.post("/v1/credentials", headers=bearer(gone), json=issue_order())

    assert problem(expired, 401)["rule"] == "expired"
    assert problem(revoked, 401)["rule"] == "revoked"


def test_a_token_without_the_permission_does_nothing_and_is_told_which_it_lacks(
    service: Service,
) -> None:
    lesser = bearer(service.world.token("stadsnat-exempel", permissions=["credentials:read"]))

    with nothing_left_behind(service):
        reply = service.http.post("/v1/credentials", headers=lesser, json=issue_order())

    found = problem(reply, 403)
    assert found["rule"] == "permission"
    assert "credentials:issue" in found["detail"]


def test_what_is_another_organisations_looks_as_if_it_were_not_there(service: Service) -> None:
    issued = service.issued()
    draft = service.draft()
    asked = [
        ("GET", f"/v1/credentials/{issued['id']}", service.owner, None),
        ("GET", f"/v1/credentials/{issued['id']}/sv.json", service.owner, None),
        ("POST", f"/v1/credentials/{issued['id']}/status", service.owner,
         {"status": "revoked", "reason": "fraud"}),
        ("GET", f"/v1/definitions/{draft['id']}", service.issuer, None),
        ("POST", f"/v1/definitions/{draft['id']}/status", service.issuer,
         {"status": "published"}),
        ("POST", "/v1/definitions", service.issuer, definition_document() | {"version": "4.0.0"}),
    ]  # fmt: skip

    with nothing_left_behind(service):
        for method, address, headers, body in asked:
            theirs = service.http.request(method, address, headers=headers, json=body)
            nobodys = service.http.request(
                method,
                address.replace(issued["id"], "x" * 36).replace(draft["id"], "x" * 36),
                headers=headers,
                json=body if body is None or "owner" not in body else body | {"owner": "nobody"},
            )
            assert problem(theirs, 404)["code"] == "not_found"
            assert (nobodys.status_code, set(nobodys.json())) == (404, set(theirs.json()))
    found = service.http.get(f"/v1/credentials/{issued['id']}", headers=service.issuer).json()
    assert found["status"] == "active"
    assert service.http.get("/v1/credentials", headers=service.owner).json()["total"] == 0


@pytest.mark.parametrize(
    "address",
    ["/v1/organizations/%00", "/v1/credentials/%00", "/v1/credentials/%00/sv.json",
     "/v1/definitions/%00", "/v1/definitions?q=%00", "/v1/definitions?owner=%00",
     "/v1/credentials?externalReference=%00", "/v1/credentials?limit=" + "9" * 5000,
     "/v1/credentials?offset=-1", "/v1/credentials?status=gone",
     "/v1/credentials?externalReference=%ED%A0%80%FF", "/v1/organizations/%ED%A0%80",
     "/v1/definitions?limit=1e3", "/v1/definitions?q=" + "a" * 101, "/o/%00/did.json",
     "/o/%FF/did.json", "/o/sobona/status/%00.json", "/o/sobona/status/..%2F..%2Fx.json",
     "/o/sobona/credentials/%00", "/o/sobona/definitions/SOB-OPTO-01/1.0.0/achievement.fi.json",
     "/o/sobona/definitions/%00/1.0.0/definition.json", "/o/sobona/definitions/%00",
     "/o/sobona/definitions/SOB-OPTO-01/1.0.0/%00.html", "/static/%00", "/static/..%2Frender.py",
     "/v1/credentials/" + "a" * 5000, "/o/" + "a" * 5000 + "/did.json", "/v1/nothing"],
)  # fmt: skip
def test_an_address_that_names_nothing_is_refused_and_no_fault_of_ours(
    service: Service, address: str
) -> None:
    with nothing_left_behind(service):
        reply = service.http.get(address, headers=service.issuer)

    # a text of strange letters is a text: it is looked for, and not found in a list
    if reply.status_code == 200:
        assert reply.json()["total"] == 0
    else:
        assert problem(reply, reply.status_code)["status"] in {404, 422}


def test_a_method_that_a_resource_does_not_have_is_a_problem_that_says_so(
    service: Service,
) -> None:
    reply = service.http.put("/v1/credentials", json={})

    found = problem(reply, 405)
    assert found["title"]
    assert "POST" in reply.headers["Allow"] or "GET" in reply.headers["Allow"]


# What is presented for verification ------------------------------------------------------------


def changed(body: bytes, change: Callable[[Json], object]) -> bytes:
    document: Json = json.loads(body)
    change(document)
    return json.dumps(document, ensure_ascii=False).encode()


def achievement(document: Json) -> Json:
    return dict(document["credentialSubject"])["achievement"]  # type: ignore[no-any-return]


UNSIGNED: dict[str, Callable[[Json], object]] = {
    "undefined term": lambda doc: doc.update(unknownTerm="x"),
    "nested undefined object": lambda doc: achievement(doc).update(extra={"grade": "A"}),
    "@foo": lambda doc: doc.update({"@foo": "x"}),
    "empty term": lambda doc: doc.update({"": "x"}),
    "relative type": lambda doc: doc["type"].append("Diploma"),
    "relative id": lambda doc: achievement(doc)["criteria"].update(id="criteria"),
    "null": lambda doc: doc.update(description=None),
    "blank node property": lambda doc: doc.update({"_:p": "x"}),
    "under the holder": lambda doc: doc["credentialSubject"].update(personnummer="x"),
    "@vocab": lambda doc: doc["@context"].append({"@vocab": "urn:x:"}),
    "@base": lambda doc: doc["@context"].append({"@base": "urn:x:"}),
    "nested context": lambda doc: achievement(doc).update({"@context": {"a": "urn:a"}}),
}


@pytest.mark.parametrize("label", UNSIGNED)
def test_what_would_go_unsigned_is_found_and_the_credential_refused(
    service: Service, label: str
) -> None:
    body = changed(service.body(service.issued()), UNSIGNED[label])

    with nothing_left_behind(service):
        report = service.report(body)

    assert report["verdict"] == "refused"
    failed = {name for name, outcome in outcomes(report).items() if outcome == "failed"}
    assert failed & {"terms", "contexts"}


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/v1", "https://www.w3.org/2018/credentials/v0", "file:///etc/passwd"],
)
def test_an_unknown_context_is_named_and_nothing_is_fetched(service: Service, url: str) -> None:
    body = changed(service.body(service.issued()), lambda doc: doc["@context"].append(url))

    report = service.report(body)

    assert code_of(report, "contexts") == "unknown_context"
    assert url in next(f["detail"] for f in report["checks"] if f["check"] == "contexts")
    assert report["verdict"] == "refused"


def expire(service: Service) -> None:
    service.world.clock.advance(days=4 * 366)


def go_back(service: Service) -> None:
    service.world.clock.advance(days=-2)


@pytest.mark.parametrize(("what", "code"), [(expire, "expired"), (go_back, "not_yet_valid")])
@pytest.mark.parametrize("extension", ["json", "jwt"])
def test_a_credential_outside_its_dates_is_refused(
    service: Service, what: Callable[[Service], None], code: str, extension: str
) -> None:
    body = service.body(service.issued(), extension=extension)

    what(service)
    report = service.report(body)

    assert (report["verdict"], code_of(report, "dates")) == ("refused", code)
    assert (outcomes(report)["proof"] == "passed") == (what is expire or extension == "jwt")


def test_a_changed_name_fails_the_proof_and_nothing_else(service: Service) -> None:
    body = service.body(service.issued())

    forged = body.replace(b"Amina", b"Anina")
    report = service.report(forged)

    assert forged != body
    assert [name for name, outcome in outcomes(report).items() if outcome != "passed"] == ["proof"]


def test_the_proof_of_another_credential_does_not_hold(service: Service) -> None:
    one, other = service.issued(), service.issued()
    proof = json.loads(service.body(other))["proof"]
    tokens = [service.body(issued, extension="jwt").decode().split(".") for issued in (one, other)]

    document = service.report(changed(service.body(one), lambda found: found.update(proof=proof)))
    token = service.report(".".join([*tokens[0][:2], tokens[1][2]]).encode())

    for report in (document, token):
        assert (report["verdict"], outcomes(report)["proof"]) == ("refused", "failed")


def test_a_credential_of_an_issuer_that_its_key_does_not_belong_to_is_refused(
    service: Service,
) -> None:
    body = changed(
        service.body(service.issued()),
        lambda doc: doc["issuer"].update(id="did:web:localhost%3A8000:o:sobona"),
    )

    report = service.report(body)

    assert (report["verdict"], outcomes(report)["key"]) == ("refused", "failed")


def poisoned(nodes: int) -> tuple[bytes, int]:
    """A well-formed badge with a graph of blank nodes that all know each other, and the graph's size."""
    graph = [
        {
            "id": f"_:{at}",
            "type": "VerifiableCredential",
            "termsOfUse": [f"_:{to}" for to in range(nodes) if to != at],
        }
        for at in range(nodes)
    ]
    body = json.dumps(EXAMPLE | {"termsOfUse": graph}, separators=(",", ":")).encode()
    return body, len(json.dumps(graph, separators=(",", ":")))


@pytest.mark.parametrize("nodes", [6, 7, 8, 12, 30])
def test_a_poison_graph_is_refused_in_little_time(service: Service, nodes: int) -> None:
    body, size = poisoned(nodes)
    assert nodes > 6 or size < 620

    started = time.monotonic()
    report = service.report(body)
    spent = time.monotonic() - started

    assert report["verdict"] == "refused"
    assert "too complex" in next(f["detail"] for f in report["checks"] if f["check"] == "proof")
    assert spent < 5


@pytest.mark.parametrize(
    "token",
    ["..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "a" * 100_000,
     "e30.e30.e30", "{}", '{"proof":1}', '{"@context":[],"proof":{}}', "kp_x", "<xml/>"],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_credential_is_refused_by_a_report_or_as_nothing_that_is_known(
    service: Service, token: str
) -> None:
    with nothing_left_behind(service):
        reply = service.http.post("/v1/verifications", content=token.encode())

    if token.startswith(("ey", "{")):
        assert (reply.json()["verdict"], reply.json()["verified"]) == ("refused", False)
    else:
        assert problem(reply, 422)["rule"] == "unrecognised"


# Anything at all -------------------------------------------------------------------------------

FUZZ = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "\u0000", "\u202e", "\ufeff", "<b>", "{{7*7}}", "did:key:z6Mk", "did:web:a%00b",
         "https://x.example/å ä", "http://[", "urn:", "2026-13-01", "P", "[a](javascript:x)",
         "🧵" * 60, "a" * 5000, "../..", "sobona/SOB-OPTO-01", PERSONAL_NUMBER]
    ),
)  # fmt: skip
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=8,
)


def places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value but the whole."""
    members: Iterator[tuple[Any, object]] = iter(())
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for name, member in members:
        yield (*place, name)
        yield from places(member, (*place, name))


@st.composite
def mutations(draw: st.DrawFn, document: Json) -> Json:
    """The document with one to three places replaced, removed or joined by another."""
    found = deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(places(found)) or [("x",)]))
        target: Any = found
        for step in way:
            target = target[step]
        match draw(st.sampled_from(["replace", "text", "remove", "join"])):
            case "replace":
                target[last] = draw(ANYTHING)
            case "text":
                target[last] = draw(TEXT)
            case "remove":
                target.pop(last, None) if isinstance(target, dict) else target.pop(last)
            case _ if isinstance(target, dict):
                target[draw(TEXT)] = draw(ANYTHING)
            case _:
                target.append(draw(ANYTHING))
    return found


def sent(document: Json) -> bytes:
    return json.dumps(document).encode()


FULL_ORDER: Json = issue_order() | {
    "holder": {"name": "Amina Exempelsson", "email": "amina@example.org"},
    "externalReference": "kurs-17/4",
    "languages": ["sv"],
    "evidence": [
        {"name": "Prov", "narrative": "På plats.", "genre": "prov", "url": "https://x.example/1"}
    ],
    "validUntil": "2028-01-01",
}


@FUZZ
@given(order=mutations(FULL_ORDER))
def test_whatever_is_ordered_is_refused_or_issued_as_a_credential_that_verifies(
    service: Service, order: Json
) -> None:
    before = rows(service.world.env)

    reply = service.http.post("/v1/credentials", headers=service.issuer, content=sent(order))

    assert reply.status_code < 500, reply.text
    if reply.status_code == 201:
        report = service.report(reply.json()["editions"][0]["jwt"].encode())
        assert report["verdict"] == "verified", report
        revoke = {"status": "revoked", "reason": "other"}
        address = f"/v1/credentials/{reply.json()['id']}/status"
        service.http.post(address, headers=service.issuer, json=revoke)
    else:
        problem(reply, reply.status_code)
        assert rows(service.world.env) == before


@FUZZ
@given(document=mutations(definition_document()))
def test_whatever_is_defined_is_refused_or_a_draft_that_is_refused_or_published_and_issued(
    service: Service, document: Json
) -> None:
    before = rows(service.world.env)
    number = before["definition_version"]
    fixed = {"version": f"1.{number}.0", "owner": "sobona", "code": "SOB-OPTO-01"}

    reply = service.http.post(
        "/v1/definitions", headers=service.owner, content=sent(document | fixed)
    )

    assert reply.status_code < 500, reply.text
    if reply.status_code != 201:
        problem(reply, reply.status_code)
        assert rows(service.world.env) == before
        return
    address = f"/v1/definitions/{reply.json()['id']}/status"
    published = service.http.post(address, headers=service.owner, json={"status": "published"})
    assert published.status_code in {200, 422}, published.text
    assert (published.status_code == 422) == bool(reply.json()["gaps"]) or reply.json()[
        "gaps"
    ] == []
    if published.status_code == 200:
        for page in published.json()["pages"].values():
            shown = service.http.get(page.removeprefix(service.world.env.addresses.base))
            assert shown.status_code == 200, shown.text
        order = {**issue_order(), "languages": ["sv"]}
        issued = service.http.post("/v1/credentials", headers=service.issuer, json=order)
        assert issued.status_code in {201, 403, 422}, issued.text
        if issued.status_code == 201:
            body = issued.json()["editions"][0]["jwt"].encode()
            assert service.report(body)["verdict"] == "verified"


@FUZZ
@given(order=mutations({**organization_order(), "organizationNumber": "212000-0142",
                        "url": "https://x.example/", "email": "a@x.example", "country": "SE",
                        "image": "https://x.example/i.png"}))  # fmt: skip
def test_whatever_organisation_is_given_is_refused_or_registered_with_a_did_document(
    service: Service, order: Json
) -> None:
    before = rows(service.world.env)
    order = order | {"slug": f"x{before['organization']}"}

    reply = service.http.post("/v1/organizations", headers=service.operator, content=sent(order))

    assert reply.status_code < 500, reply.text
    if reply.status_code == 201:
        assert service.http.get(f"/o/{order['slug']}/did.json").status_code == 200
    else:
        problem(reply, reply.status_code)
        assert rows(service.world.env) == before


@FUZZ
@given(data=st.data())
def test_whatever_is_presented_is_answered_with_a_report_and_only_the_unchanged_verifies(
    service: Service, data: st.DataObject
) -> None:
    found = service.http.get("/v1/credentials", headers=service.issuer).json()["credentials"]
    credential = {"id": found[0]["id"]} if found else service.issued()
    document: Json = json.loads(service.body(credential))
    presented = data.draw(mutations(document))

    report = service.report(sent(presented))

    assert report["verified"] is (presented == document)


@FUZZ
@given(body=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode),
                      ANYTHING.map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_random_bytes_are_a_problem_on_every_route_and_verify_nowhere(
    service: Service, body: bytes
) -> None:
    posts = [
        ("/v1/credentials", service.issuer),
        ("/v1/definitions", service.owner),
        ("/v1/organizations", service.operator),
        ("/v1/organizations/sobona/tokens", service.operator),
        ("/v1/credentials/x/status", service.issuer),
        ("/v1/definitions/x/status", service.owner),
    ]

    with nothing_left_behind(service):
        for address, headers in posts:
            reply = service.http.post(address, headers=headers, content=body)
            assert 400 <= reply.status_code < 500
            problem(reply, reply.status_code)
        reply = service.http.post("/v1/verifications", content=body)
        if reply.status_code == 200:
            assert reply.json()["verdict"] == "refused"
        else:
            assert problem(reply, reply.status_code)["status"] < 500
