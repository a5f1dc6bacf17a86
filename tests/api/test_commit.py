"""Nothing is answered before it is stored: a commit that fails gives an error and no credential."""

from collections.abc import Iterator

import pytest
from httpx2 import Response
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kpass_vc.actions.issue import IssueOrder
from kpass_vc.api.issuing import Issuing, Ordered
from kpass_vc.app import create_app
from kpass_vc.edge import Asking
from kpass_vc.records.award import Award
from kpass_vc.records.base import WRITE
from tests.api.http import PROBLEM, Service, rows
from tests.world import issue_order

REFUSING = {
    "sqlite": (
        "CREATE TABLE refused (id TEXT REFERENCES award (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER refuse AFTER INSERT ON award BEGIN INSERT INTO refused VALUES ('x'); END",
    ),
    "postgresql": (
        "CREATE TABLE refused (id VARCHAR REFERENCES award (id) DEFERRABLE INITIALLY DEFERRED)",
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN INSERT INTO refused VALUES ('x'); RETURN NEW; END $$""",
        "CREATE TRIGGER refuse AFTER INSERT ON award FOR EACH ROW EXECUTE FUNCTION refuse()",
    ),
}
"""A constraint that every statement passes and only the commit breaks."""


def issue(service: Service) -> Response:
    headers = service.issuer | {"Idempotency-Key": "1"}
    return service.http.post("/v1/credentials", headers=headers, json=issue_order())


@pytest.fixture
def failing(service: Service) -> Iterator[Service]:
    """A service whose database answers no commit of a transaction that writes."""

    def refuse(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITE):
            raise OperationalError("COMMIT", None, OSError("No space left on device"))

    event.listen(service.world.env.engine, "commit", refuse)
    yield service
    event.remove(service.world.env.engine, "commit", refuse)


def test_a_commit_that_fails_is_a_503_without_a_credential_and_the_next_read_shows_none(
    failing: Service,
) -> None:
    before = rows(failing.world.env)

    reply = issue(failing)

    assert (reply.status_code, reply.headers["Content-Type"]) == (503, PROBLEM)
    assert reply.json()["rule"] == "database"
    assert reply.headers["Retry-After"] == "5"
    assert "Location" not in reply.headers
    assert "proof" not in reply.text
    listed = failing.http.get("/v1/credentials", headers=failing.issuer).json()
    assert listed == {"credentials": [], "total": 0}
    assert rows(failing.world.env) == before


def test_no_write_is_answered_as_done_when_its_commit_fails(failing: Service) -> None:
    replies = [
        failing.http.post(
            "/v1/organizations/sobona/tokens", headers=failing.operator, json={"label": "x"}
        ),
        failing.http.post(
            "/v1/organizations",
            headers=failing.operator,
            json={"slug": "another", "name": {"sv": "En till", "en": "Another"}},
        ),
    ]

    assert [reply.status_code for reply in replies] == [503, 503]
    assert "kp_" not in replies[0].text
    assert failing.http.get("/v1/organizations/another").status_code == 404


def test_what_only_the_database_finds_at_the_commit_is_an_error_and_no_credential(
    service: Service,
) -> None:
    engine = service.world.env.engine
    with engine.begin() as connection:
        for statement in REFUSING[engine.dialect.name]:
            connection.execute(text(statement))
    before = rows(service.world.env)

    refused = issue(service)
    after = rows(service.world.env)
    with engine.begin() as connection:
        name = " ON award" if engine.dialect.name == "postgresql" else ""
        connection.execute(text(f"DROP TRIGGER refuse{name}"))
    again = issue(service)

    assert (refused.status_code, refused.headers["Content-Type"]) == (409, PROBLEM)
    assert after == before
    assert again.status_code == 201


class Onlooker:
    """Between app and client: how many credentials the database shows when the reply begins."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service
        self.seen: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def look(message: Message) -> None:
            if message["type"] == "http.response.start":
                with self.service.world.reading() as session:
                    self.seen.append(session.scalar(select(func.count()).select_from(Award)) or 0)
            await send(message)

        await self.app(scope, receive, look)


def test_when_the_reply_begins_the_credential_is_there_for_everyone(service: Service) -> None:
    onlooker = Onlooker(create_app(service.world.env), service)
    client = TestClient(onlooker, base_url=service.world.env.addresses.base)

    replies = [
        client.post("/v1/credentials", headers=service.issuer, json=issue_order()) for _ in range(3)
    ]

    assert [reply.status_code for reply in replies] == [201] * 3
    assert onlooker.seen == [1, 2, 3]


@pytest.mark.parametrize(
    "broken",
    [
        "ALTER TABLE award RENAME COLUMN reason TO gone",
        "ALTER TABLE representation RENAME TO gone",
        "ALTER TABLE idempotency_key RENAME TO gone",
    ],
)
def test_the_log_of_a_database_that_fails_while_issuing_names_no_holder(
    service: Service, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    with service.world.env.engine.begin() as connection:
        connection.execute(text(broken))
    order = issue_order() | {
        "holder": {"name": "Kanarie Hemligsson", "email": "kanarie@hemlig.example"},
        "externalReference": "kanariens-referens",
    }
    caplog.set_level("DEBUG")

    reply = service.http.post(
        "/v1/credentials", headers=service.issuer | {"Idempotency-Key": "1"}, json=order
    )

    assert reply.status_code == 503
    logged = next(record for record in caplog.records if record.name == "kpass")
    assert "Error" in logged.getMessage()
    assert "issue" in logged.getMessage()
    assert "kanarie" not in caplog.text.lower()
    assert "hemlig" not in caplog.text.lower()


def test_a_folder_that_is_open_to_others_is_named_in_the_log_and_not_in_the_answer(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    folder = service.world.env.key_stores["file"].folder  # type: ignore[attr-defined]
    folder.chmod(0o755)

    reply = service.http.get("/readyz")

    folder.chmod(0o700)
    assert reply.status_code == 503
    assert reply.json()["rule"] == "open_to_others"
    assert reply.json()["detail"] == "The service is not available"
    assert str(folder) not in reply.text
    assert str(folder) in caplog.text


def ordered_together(service: Service, count: int) -> list[Ordered]:
    who = Asking(service.issuer["Authorization"].removeprefix("Bearer "), None)
    order = IssueOrder.model_validate(issue_order())
    return [Ordered(who, order, None) for _ in range(count)]


def test_what_was_committed_and_said_not_to_be_is_not_issued_again(service: Service) -> None:
    env = service.world.env

    def lose(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITE):
            connection.connection.commit()  # and the answer is lost on its way
            raise OperationalError("COMMIT", None, OSError("the connection is gone"))

    event.listen(env.engine, "commit", lose)
    try:
        told = Issuing(env).issue_all(ordered_together(service, 3))
    finally:
        event.remove(env.engine, "commit", lose)

    assert [type(each) for each in told] == [OperationalError] * 3
    assert rows(env)["award"] == 3


def test_where_no_transaction_can_begin_all_are_told_after_one_try(service: Service) -> None:
    env = service.world.env
    tries: list[int] = []

    def refuse(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITE):
            tries.append(1)
            raise OperationalError("BEGIN", None, OSError("database is locked"))

    event.listen(env.engine, "begin", refuse)
    try:
        told = Issuing(env).issue_all(ordered_together(service, 3))
    finally:
        event.remove(env.engine, "begin", refuse)

    assert [type(each) for each in told] == [OperationalError] * 3
    assert len(tries) == 1
