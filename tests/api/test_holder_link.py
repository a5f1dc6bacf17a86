"""What issuers get and hear over the API: the learner's private link, and what the learner says is wrong."""

import pytest

from tests.api.http import Service, bearer
from tests.world import issue_order


def test_whoever_issues_gets_the_learners_link_also_when_the_order_is_repeated(
    service: Service,
) -> None:
    headers = service.issuer | {"Idempotency-Key": "kurs-17-4"}
    order = issue_order()

    first = service.http.post("/v1/credentials", headers=headers, json=order).json()
    again = service.http.post("/v1/credentials", headers=headers, json=order).json()
    later = service.http.get(f"/v1/credentials/{first['id']}", headers=service.issuer).json()

    token = service.world.token_of(first["id"])
    assert first["holderLink"] == service.world.env.addresses.holder_page(token)
    assert again["holderLink"] == later["holderLink"] == first["holderLink"]
    assert service.http.get(first["holderLink"]).status_code == 200


def test_a_new_link_is_made_on_request_and_the_old_one_opens_nothing(service: Service) -> None:
    issued = service.issued()

    reply = service.http.post(f"/v1/credentials/{issued['id']}/link", headers=service.issuer)

    assert reply.json() == {
        "id": issued["id"],
        "holderLink": service.world.env.addresses.holder_page(service.world.token_of(issued["id"])),
    }
    assert reply.json()["holderLink"] != issued["holderLink"]
    assert service.http.get(issued["holderLink"]).status_code == 404
    assert service.http.get(reply.json()["holderLink"]).status_code == 200


def test_a_dispute_is_seen_found_and_closed_with_an_answer(service: Service) -> None:
    one, other = service.issued(), service.issued()
    service.world.disputed(one["id"], "Datumet är fel.\nDet var i maj.")
    address = f"/v1/credentials/{one['id']}"

    seen = service.http.get(address, headers=service.issuer).json()
    found = {
        disputed: service.http.get(
            f"/v1/credentials?disputed={disputed}", headers=service.issuer
        ).json()
        for disputed in ("true", "false")
    }
    closed = service.http.post(
        f"{address}/dispute",
        headers=service.issuer,
        json={"status": "closed", "answer": "Det stämmer."},
    )

    assert seen["dispute"] | {"openedAt": ""} == {
        "status": "open",
        "text": "Datumet är fel.\nDet var i maj.",
        "openedAt": "",
        "answer": None,
        "closedAt": None,
    }
    assert [each["id"] for each in found["true"]["credentials"]] == [one["id"]]
    assert [each["id"] for each in found["false"]["credentials"]] == [other["id"]]
    assert (found["true"]["total"], found["false"]["total"]) == (1, 1)
    assert found["true"]["credentials"][0]["disputed"] is True
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    after = service.http.get(address, headers=service.issuer).json()["dispute"]
    assert (after["status"], after["answer"]) == ("closed", "Det stämmer.")
    assert after["closedAt"] is not None
    listed = service.http.get("/v1/credentials?disputed=true", headers=service.issuer).json()
    assert listed == {"credentials": [], "total": 0}


def test_a_credential_that_nobody_disputes_has_no_dispute_to_close(service: Service) -> None:
    issued = service.issued()
    address = f"/v1/credentials/{issued['id']}"

    reply = service.http.post(
        f"{address}/dispute", headers=service.issuer, json={"status": "closed", "answer": "x"}
    )

    assert (reply.status_code, reply.json()["rule"]) == (409, "no_dispute_open")
    assert service.http.get(address, headers=service.issuer).json()["dispute"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "closed"}, "/answer"),
        ({"status": "closed", "answer": ""}, "/answer"),
        ({"status": "closed", "answer": "x" * 2001}, "/answer"),
        ({"status": "closed", "answer": "Du är 811228-9874."}, "/answer"),
        ({"status": "open", "answer": "x"}, "/status"),
        ({"status": "closed", "answer": "x", "text": "y"}, "/text"),
        ({"status": "closed", "answer": None}, "/answer"),
        ({"status": "closed", "answer": "a\u202eb"}, "/answer"),
    ],
)
def test_an_answer_that_breaks_a_rule_names_the_field(
    service: Service, body: dict[str, object], field: str
) -> None:
    issued = service.issued()
    service.world.disputed(issued["id"])

    reply = service.http.post(
        f"/v1/credentials/{issued['id']}/dispute", headers=service.issuer, json=body
    )

    assert reply.status_code == 422
    assert [error["field"] for error in reply.json()["errors"]] == [field]


@pytest.mark.parametrize("asked", ["maybe", "", "2"])
def test_a_question_that_is_neither_true_nor_false_is_refused(service: Service, asked: str) -> None:
    reply = service.http.get(f"/v1/credentials?disputed={asked}", headers=service.issuer)

    assert reply.status_code == 422


def test_a_token_that_may_only_read_makes_no_new_link(service: Service) -> None:
    issued = service.issued()
    reader = bearer(service.world.token("stadsnat-exempel", permissions=["credentials:read"]))

    reply = service.http.post(f"/v1/credentials/{issued['id']}/link", headers=reader)

    assert reply.status_code == 403
    assert service.http.get(issued["holderLink"]).status_code == 200
