"""The main job over HTTP alone: register, define, publish, issue, fetch, verify, revoke, verify."""

import base64
import gzip
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from kpass_vc.environment import Environment
from tests.api.http import Headers, Json, Service, bearer, client_of, code_of, outcomes
from tests.world import World, definition_document, issue_order

LANGUAGES = ("sv", "en")


@pytest.fixture
def service(world: World) -> Service:
    return Service.of(world)


def path_of(env: Environment, url: str) -> str:
    """The path of an address of ours; it must be one."""
    assert url.startswith(env.addresses.base)
    return url.removeprefix(env.addresses.base)


def entry_of(issued: Json) -> dict[str, Any]:
    """The status entry that stands in the signed credential."""
    return dict(issued["editions"][0]["credential"]["credentialStatus"])


def bit(list_credential: Json, index: int) -> int:
    """One bit of an encoded list, counted from the left (Bitstring Status List section 2.2)."""
    encoded = list_credential["credentialSubject"]["encodedList"].removeprefix("u")
    bits = gzip.decompress(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    assert len(bits) * 8 >= 131_072
    return bits[index // 8] >> (7 - index % 8) & 1


def test_an_empty_installation_becomes_one_that_issues_and_revokes_over_http_alone(
    world: World,
) -> None:
    http = client_of(world.env)
    operator = bearer(world.token(None))

    owner = register(http, operator, "sobona")
    issuer = register(http, operator, "stadsnat-exempel")
    definition = take_in_and_publish(http, owner)
    issued = http.post("/v1/credentials", headers=issuer, json=issue_order())
    assert issued.status_code == 201, issued.text
    assert issued.json()["definition"] == definition["document"]
    award = issued.json()["id"]
    assert issued.headers["Location"].endswith(f"/v1/credentials/{award}")
    credential = http.get(f"/v1/credentials/{award}/sv.json", headers=issuer).content
    before = http.post("/v1/verifications", content=credential).json()
    assert before["verdict"] == "verified"
    assert before["verified"] is True
    assert set(outcomes(before).values()) == {"passed"}
    order = {"status": "revoked", "reason": "issued_in_error"}
    revoked = http.post(f"/v1/credentials/{award}/status", headers=issuer, json=order)
    assert revoked.status_code == 200
    assert revoked.json()["status"] == "revoked"
    after = http.post("/v1/verifications", content=credential).json()
    assert after["verdict"] == "refused"
    assert [name for name, outcome in outcomes(after).items() if outcome != "passed"] == ["status"]
    assert code_of(after, "status") == "revoked"


def register(http: TestClient, operator: Headers, slug: str) -> Headers:
    order = {"slug": slug, "name": {"sv": f"{slug} (exempel)", "en": f"{slug} (example)"}}
    made = http.post("/v1/organizations", headers=operator, json=order)
    assert made.status_code == 201, made.text
    assert made.json()["did"] == f"did:web:localhost%3A8000:o:{slug}"
    asked = {"label": "the first one"}
    token = http.post(f"/v1/organizations/{slug}/tokens", headers=operator, json=asked)
    assert token.status_code == 201, token.text
    return bearer(token.json()["token"])


def take_in_and_publish(http: TestClient, owner: Headers) -> Json:
    whole = definition_document()
    partial = {name: whole[name] for name in ("code", "version", "owner", "title")}
    draft = http.post("/v1/definitions", headers=owner, json=partial)
    assert draft.status_code == 201, draft.text
    order = {"status": "published"}
    address = f"/v1/definitions/{draft.json()['id']}/status"
    refused = http.post(address, headers=owner, json=order)
    assert refused.status_code == 422
    assert refused.json()["code"] == "definition_incomplete"
    assert {gap["field"] for gap in refused.json()["errors"]} == {
        gap["field"] for gap in draft.json()["gaps"]
    }
    completed = http.post("/v1/definitions", headers=owner, json=whole)
    assert (completed.status_code, completed.json()["gaps"]) == (200, [])
    assert completed.json()["id"] == draft.json()["id"]
    published = http.post(address, headers=owner, json=order)
    assert published.status_code == 200, published.text
    assert published.json()["state"] == "published"
    return dict(published.json())


def test_a_draft_with_gaps_is_taken_in_and_the_gaps_are_listed_in_the_readers_language(
    service: Service,
) -> None:
    whole = definition_document("SOB-OPTO-02")
    partial = {name: whole[name] for name in ("code", "version", "owner", "title")}

    gaps = {
        language: service.http.post(
            "/v1/definitions", headers=service.owner | {"Accept-Language": language}, json=partial
        ).json()["gaps"]
        for language in LANGUAGES
    }

    assert [gap["field"] for gap in gaps["sv"]] == [gap["field"] for gap in gaps["en"]]
    assert {
        "/learning_outcomes", "/workload/hours", "/participation/forms", "/assessment/types",
        "/quality_assurance/types",
    } <= {gap["field"] for gap in gaps["sv"]}  # fmt: skip
    assert any("läranderesultat" in gap["detail"] for gap in gaps["sv"])
    assert any("learning outcome" in gap["detail"] for gap in gaps["en"])


def test_a_published_version_can_be_neither_replaced_nor_published_again(service: Service) -> None:
    again = service.http.post("/v1/definitions", headers=service.owner, json=definition_document())

    assert again.status_code == 409
    assert again.json()["rule"] == "version_is_final"


def test_the_same_key_and_body_give_the_same_answer_and_another_body_is_refused(
    service: Service,
) -> None:
    headers = service.issuer | {"Idempotency-Key": "kurs-17/4"}
    order = issue_order()

    first = service.http.post("/v1/credentials", headers=headers, json=order)
    second = service.http.post("/v1/credentials", headers=headers, json=order)
    other = service.http.post(
        "/v1/credentials", headers=headers, json=order | {"holder": {"name": "Någon Annan"}}
    )

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert service.http.get("/v1/credentials", headers=service.issuer).json()["total"] == 1


def test_another_organisation_may_use_the_same_key_for_its_own(service: Service) -> None:
    service.world.published_definition(
        code="SOB-OPTO-98", authorised_issuers=["stadsnat-exempel", "sobona"]
    )
    key = {"Idempotency-Key": "1"}
    order = issue_order() | {"definition": "sobona/SOB-OPTO-98"}

    replies = [
        service.http.post("/v1/credentials", headers=headers | key, json=order)
        for headers in (service.issuer, service.owner)
    ]

    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json()["id"] != replies[1].json()["id"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("extension", "media_type"), [("json", "application/vc+ld+json"), ("jwt", "application/jwt")]
)
def test_the_bytes_that_are_fetched_are_those_that_were_answered_and_they_verify(
    service: Service, language: str, extension: str, media_type: str
) -> None:
    issued = service.issued()
    edition = next(found for found in issued["editions"] if found["language"] == language)

    address = path_of(service.world.env, edition["links"][extension])
    fetched = service.http.get(address, headers=service.issuer)

    assert fetched.status_code == 200
    assert fetched.headers["Content-Type"] == media_type
    assert fetched.headers["Cache-Control"] == "private, no-cache"
    if extension == "json":
        assert fetched.json() == edition["credential"]
    else:
        assert fetched.text == edition["jwt"]
    assert service.report(fetched.content)["verdict"] == "verified"


@pytest.mark.parametrize("extension", ["json", "jwt"])
@pytest.mark.parametrize(
    ("language", "verified", "revoked"),
    [
        ("sv", "Utfärdaren har inte återkallat", "återkallat"),
        ("en", "The issuer has not revoked it.", "The issuer has revoked it."),
    ],
)
def test_every_check_is_told_in_the_readers_language(
    service: Service, extension: str, language: str, verified: str, revoked: str
) -> None:
    issued = service.issued()
    body = service.body(issued, extension=extension)
    asked = {"Accept-Language": language}

    before = service.http.post("/v1/verifications", content=body, headers=asked).json()
    service.http.post(
        f"/v1/credentials/{issued['id']}/status",
        headers=service.issuer,
        json={"status": "revoked", "reason": "fraud"},
    )
    after = service.http.post("/v1/verifications", content=body, headers=asked).json()

    detail = {found["check"]: found["detail"] for found in before["checks"]}
    assert [check["check"] for check in before["checks"]] == [
        "parsed", "contexts", "structure", "terms", "reading", "did", "key", "proof", "dates",
        "status", "definition", "achievement", "authorization", "endorsements",
    ]  # fmt: skip
    assert all(detail.values())
    assert detail["status"].startswith(verified.removesuffix("."))
    assert revoked in next(f["detail"] for f in after["checks"] if f["check"] == "status")
    assert (before["verified"], after["verified"]) == (True, False)
    assert before["summary"] != after["summary"]


def test_the_languages_say_the_same_in_other_words(service: Service) -> None:
    body = service.body(service.issued())

    swedish, english = (
        service.http.post(f"/v1/verifications?lang={language}", content=body).json()
        for language in LANGUAGES
    )

    assert outcomes(swedish) == outcomes(english)
    for ours, theirs in zip(swedish["checks"], english["checks"], strict=True):
        assert ours["detail"] != theirs["detail"]


def test_revoking_sets_the_one_bit_of_the_credential_in_the_list_and_no_other(
    service: Service,
) -> None:
    env = service.world.env
    kept, taken = entry_of(service.issued()), service.issued()
    lost = entry_of(taken)
    assert (lost["type"], lost["statusPurpose"]) == ("BitstringStatusListEntry", "revocation")
    address = path_of(env, lost["statusListCredential"])
    before = service.http.get(address)
    assert bit(before.json(), int(lost["statusListIndex"])) == 0

    order = {"status": "revoked", "reason": "assessment_annulled"}
    service.http.post(f"/v1/credentials/{taken['id']}/status", headers=service.issuer, json=order)
    after = service.http.get(address)

    assert bit(after.json(), int(lost["statusListIndex"])) == 1
    assert bit(after.json(), int(kept["statusListIndex"])) == 0
    assert sum(bit(after.json(), index) for index in range(131_072)) == 1
    assert before.headers["ETag"] != after.headers["ETag"]
    stale = service.http.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert stale.status_code == 200
    found = service.http.get(f"/v1/credentials/{taken['id']}", headers=service.issuer).json()
    assert (found["status"], found["reason"]) == ("revoked", "assessment_annulled")


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_revoked_never_clears(service: Service, status: str) -> None:
    issued = service.issued()
    address = f"/v1/credentials/{issued['id']}/status"
    revoked = {"status": "revoked", "reason": "fraud"}
    service.http.post(address, headers=service.issuer, json=revoked)

    back = service.http.post(
        address, headers=service.issuer, json={"status": status, "reason": "other"}
    )
    again = service.http.post(address, headers=service.issuer, json=revoked)

    assert (back.status_code, back.json()["rule"]) == (409, "revoked_for_ever")
    assert (again.status_code, again.json()["status"]) == (200, "revoked")


def test_where_the_definition_says_so_a_credential_is_suspended_and_reinstated(
    service: Service,
) -> None:
    service.world.published_definition(code="SOB-OPTO-97", status_purpose="suspension")
    issued = service.issued(definition="sobona/SOB-OPTO-97")
    body = service.body(issued)
    entry = entry_of(issued)
    assert entry["statusPurpose"] == "suspension"

    verdicts = []
    for status in ("suspended", "active"):
        order = {"status": status, "reason": "under_investigation"}
        address = f"/v1/credentials/{issued['id']}/status"
        assert service.http.post(address, headers=service.issuer, json=order).status_code == 200
        report = service.report(body)
        verdicts.append((report["verdict"], code_of(report, "status")))

    assert verdicts == [("refused", "suspended"), ("verified", "passed")]


def test_where_the_definition_does_not_say_so_a_credential_cannot_be_suspended(
    service: Service,
) -> None:
    issued = service.issued()

    reply = service.http.post(
        f"/v1/credentials/{issued['id']}/status",
        headers=service.issuer,
        json={"status": "suspended", "reason": "other"},
    )

    assert (reply.status_code, reply.json()["rule"]) == (409, "not_suspendable")


IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "public, no-cache"
FOLDER = "/o/sobona/definitions/SOB-OPTO-01/1.0.0"
PUBLISHED = {
    "/o/sobona/did.json": ("application/did+json", REVALIDATE),
    "/o/sobona/keys.json": ("application/json", REVALIDATE),
    "/.well-known/jwks.json": ("application/jwk-set+json", REVALIDATE),
    "/o/stadsnat-exempel/status/revocation-1.json": ("application/vc+ld+json", REVALIDATE),
    f"{FOLDER}/definition.json": ("application/json", IMMUTABLE),
    f"{FOLDER}/publication.json": ("application/vc+ld+json", REVALIDATE),
    f"{FOLDER}/achievement.sv.json": ("application/ld+json", IMMUTABLE),
    f"{FOLDER}/achievement.en.json": ("application/ld+json", IMMUTABLE),
    f"{FOLDER}/badge.sv.png": ("image/png", "public, max-age=86400"),
    f"{FOLDER}/badge.en.png": ("image/png", "public, max-age=86400"),
    f"{FOLDER}/badge-64.sv.png": ("image/png", "public, max-age=86400"),
    f"{FOLDER}/badge.sv.svg": ("image/svg+xml", "public, max-age=86400"),
    f"{FOLDER}/badge-small.en.svg": ("image/svg+xml", "public, max-age=86400"),
}


@pytest.mark.parametrize("address", PUBLISHED)
def test_what_is_published_may_be_read_by_any_page_and_asked_for_again_by_its_etag(
    service: Service, address: str
) -> None:
    media_type, caching = PUBLISHED[address]

    first = service.http.get(address)
    head = service.http.head(address)
    tag = first.headers["ETag"]
    known = [
        service.http.get(address, headers={"If-None-Match": value})
        for value in (tag, f"W/{tag}", f'"other", {tag}', "*")
    ]
    other = service.http.get(address, headers={"If-None-Match": '"other"'})

    assert (first.status_code, first.headers["Content-Type"]) == (200, media_type)
    assert first.headers["Cache-Control"] == caching
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == tag
    assert [(reply.status_code, reply.content) for reply in known] == [(304, b"")] * 4
    assert {reply.headers["ETag"] for reply in known} == {tag}
    assert {reply.headers["Cache-Control"] for reply in known} == {caching}
    assert (other.status_code, other.content) == (200, first.content)


def test_every_address_that_the_reply_on_a_definition_names_answers(service: Service) -> None:
    found = service.http.get("/v1/definitions?owner=sobona").json()
    assert found["total"] == 1
    reply = found["definitions"][0]
    named = [reply["document"], reply["publication"]]
    named += [*reply["achievements"].values(), *reply["pages"].values()]

    answers = {url: service.http.get(path_of(service.world.env, url)) for url in named}
    line = service.http.get(
        path_of(service.world.env, reply["definition"]), headers={"Accept-Language": "en"}
    )

    assert len(answers) == 6
    assert {answer.status_code for answer in answers.values()} == {200}
    assert (line.status_code, line.headers["Location"]) == (302, reply["pages"]["en"])
    publication = answers[reply["publication"]].json()
    assert publication["issuer"]["id"] == "did:web:localhost%3A8000:o:sobona"
    assert reply["digestSRI"] in json.dumps(publication)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/vc+ld+json"),
        ("*/*", "application/vc+ld+json"),
        ("application/vc+ld+json", "application/vc+ld+json"),
        ("application/vc", "application/vc"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/json"),
        ("application/json, application/vc+jwt", "application/json"),
        ("application/vc+jwt", "application/vc+jwt"),
        ("text/html, application/vc+jwt;q=0.9, */*;q=0.1", "application/vc+jwt"),
        ("text/html", "application/vc+ld+json"),
        (",;=,", "application/vc+ld+json"),
    ],
)
def test_a_status_list_is_answered_in_the_form_that_is_asked_for(
    service: Service, accept: str | None, media_type: str
) -> None:
    headers = {"Accept": accept} if accept is not None else {}

    reply = service.http.get("/o/stadsnat-exempel/status/revocation-1.json", headers=headers)

    assert reply.headers["Content-Type"] == media_type
    assert reply.headers["Vary"] == "Accept"
    if media_type == "application/vc+jwt":
        header, payload, _ = reply.text.split(".")
        assert json.loads(base64.urlsafe_b64decode(header + "==="))["typ"] == "vc+jwt"
        document = json.loads(base64.urlsafe_b64decode(payload + "==="))
    else:
        document = reply.json()
        assert document["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    assert document["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert "validUntil" in document


def test_at_the_id_of_a_credential_lies_nothing_about_the_person(service: Service) -> None:
    issued = service.issued(holder={"name": "Amina Exempelsson", "email": "amina@example.org"})
    url = issued["editions"][0]["id"]

    reply = service.http.get(path_of(service.world.env, url))

    assert reply.status_code == 200
    assert reply.json()["issuer"] == "did:web:localhost%3A8000:o:stadsnat-exempel"
    assert "amina" not in reply.text.lower()
    assert issued["holderId"] not in reply.text


def test_the_did_document_lists_the_keys_that_the_proofs_name(service: Service) -> None:
    issued = service.issued()["editions"][0]
    document = service.http.get("/o/stadsnat-exempel/did.json").json()
    header = json.loads(base64.urlsafe_b64decode(issued["jwt"].partition(".")[0] + "==="))

    methods = {method["id"]: method["type"] for method in document["verificationMethod"]}

    assert methods[issued["credential"]["proof"]["verificationMethod"]] == "Multikey"
    assert methods[header["kid"]] == "JsonWebKey"
    assert set(document["assertionMethod"]) == set(methods)
    keys = service.http.get("/.well-known/jwks.json").json()["keys"]
    assert set(methods) < {key["kid"] for key in keys}
    assert not any("d" in key for key in keys)


def test_a_list_that_ages_is_signed_anew_by_the_read_that_finds_it(service: Service) -> None:
    address = "/o/stadsnat-exempel/status/revocation-1.json"
    before = service.http.get(address).json()

    service.world.clock.advance(days=16)
    after = service.http.get(address).json()

    assert after["validUntil"] > before["validUntil"]
    assert after["credentialSubject"] == before["credentialSubject"]


def test_credentials_are_found_by_the_issuers_own_reference_and_by_status(
    service: Service,
) -> None:
    one = service.issued(externalReference="kurs-17/1")
    service.issued(externalReference="kurs-17/2")
    order = {"status": "revoked", "reason": "other"}
    service.http.post(f"/v1/credentials/{one['id']}/status", headers=service.issuer, json=order)

    def found(query: str) -> list[str]:
        reply = service.http.get(f"/v1/credentials?{query}", headers=service.issuer).json()
        assert reply["total"] == len(reply["credentials"])
        return [row["externalReference"] for row in reply["credentials"]]

    assert found("externalReference=kurs-17/1") == ["kurs-17/1"]
    assert found("status=active") == ["kurs-17/2"]
    assert found("status=revoked") == ["kurs-17/1"]


def test_a_reference_is_refused_while_its_credential_holds_and_free_when_it_is_revoked(
    service: Service,
) -> None:
    first = service.issued(externalReference="kurs-17/1")
    order = issue_order() | {"externalReference": "kurs-17/1"}

    refused = service.http.post("/v1/credentials", headers=service.issuer, json=order)
    service.http.post(
        f"/v1/credentials/{first['id']}/status",
        headers=service.issuer,
        json={"status": "revoked", "reason": "wrong_details"},
    )
    taken = service.http.post("/v1/credentials", headers=service.issuer, json=order)

    assert (refused.status_code, refused.json()["rule"]) == (409, "reference_in_use")
    assert refused.json()["field"] == "/externalReference"
    assert taken.status_code == 201


def test_a_withdrawn_token_opens_nothing_any_more(service: Service) -> None:
    made = service.http.post(
        "/v1/organizations/sobona/tokens", headers=service.operator, json={"label": "x"}
    ).json()
    headers = bearer(made["token"])
    assert service.http.get("/v1/credentials", headers=headers).status_code == 200

    gone = service.http.delete(f"/v1/tokens/{made['id']}", headers=service.operator)
    reply = service.http.get("/v1/credentials", headers=headers)

    assert gone.status_code == 204
    assert (reply.status_code, reply.json()["rule"]) == (401, "revoked")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_service_says_that_it_lives_and_that_it_can_work(service: Service) -> None:
    assert service.http.get("/healthz").json() == {"status": "ok"}
    assert service.http.get("/readyz").json() == {"status": "ok"}


def test_it_is_not_ready_when_the_key_folder_is_open_to_others(service: Service) -> None:
    folder = service.world.env.key_stores["file"].folder  # type: ignore[attr-defined]
    folder.chmod(0o755)

    reply = service.http.get("/readyz")

    assert (reply.status_code, reply.json()["rule"]) == (503, "open_to_others")
