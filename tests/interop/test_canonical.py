"""10,000 random documents over our contexts: the same canonical N-Quads here, in Node and in pyoxigraph."""

import random
import string
from collections.abc import Callable
from typing import Any

import pyoxigraph
import pytest

from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.expansion import to_quads
from kpass_vc.jsonld.rdfc import Quad, canonical_nquads
from tests.interop.foreign import canonize

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]

Json = dict[str, Any]
COUNT = 10_000
V1, V2 = "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
LETTERS = string.ascii_letters + string.digits + " .,-_/'\"\\<>{}|^`åäöÅÄÖßéñ€中文字🙂\n\t\r\u2028"


class Writer:
    """Writes one document after the other, the same ones each time."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, *makers: Callable[[], Any]) -> Any:
        return self.random.choice(makers)()

    def text(self) -> str:
        return "".join(self.random.choices(LETTERS, k=self.random.randint(1, 24)))

    def url(self) -> str:
        number = self.random.randint(0, 9)
        kinds = (f"https://a.example/{number}", f"urn:uuid:{number}", f"did:example:{number}#k")
        return self.random.choice(kinds)

    def moment(self) -> str:
        return f"20{self.random.randint(10, 40)}-0{self.random.randint(1, 9)}-11T10:00:00Z"

    def some(self, **members: Callable[[], Any]) -> Json:
        """A node with some of the members, in any order, each one value or several."""
        names = [name for name in members if self.random.random() < 0.6]
        self.random.shuffle(names)
        return {name: self.several(members[name]) for name in names}

    def several(self, make: Callable[[], Any]) -> Any:
        if self.random.random() < 0.7:
            return make()
        return [make() for _ in range(self.random.randint(1, 3))]

    def node(self, kinds: list[str], **members: Callable[[], Any]) -> Json:
        made = self.some(**members)
        made["type"] = kinds if self.random.random() < 0.5 else kinds[-1]
        if self.random.random() < 0.5:
            made["id"] = self.url()
        return made

    def language(self) -> Any:
        made: Json = {"@value": self.text(), "@language": self.random.choice(["sv", "en-GB", "ar"])}
        if self.random.random() < 0.3:
            made["@direction"] = self.random.choice(["ltr", "rtl"])
        return self.one(self.text, lambda: made)

    def status(self) -> Json:
        return self.node(
            ["BitstringStatusListEntry"],
            statusPurpose=lambda: "revocation",
            statusListIndex=lambda: str(self.random.randint(0, 999)),
            statusListCredential=self.url,
        )

    def profile(self) -> Json:
        return self.node(
            ["Profile"],
            name=self.text,
            url=self.url,
            email=self.text,
            description=self.text,
            otherIdentifier=lambda: self.node(
                ["IdentifierEntry"], identifier=self.text, identifierType=lambda: "systemId"
            ),
        )

    def achievement(self) -> Json:
        return self.node(
            ["Achievement"],
            name=self.text,
            description=self.text,
            humanCode=self.text,
            criteria=lambda: self.some(narrative=self.text) | {"id": self.url()},
            creator=self.profile,
            tag=self.text,
            achievementType=lambda: "Course",
            creditsAvailable=lambda: self.one(
                lambda: self.random.randint(0, 10**6), lambda: self.random.randint(-9, 9)
            ),
            resultDescription=lambda: self.node(
                ["ResultDescription"],
                name=self.text,
                resultType=lambda: "LetterGrade",
                allowedValue=self.text,
            ),
            alignment=lambda: self.node(
                ["Alignment"], targetName=self.text, targetUrl=self.url, targetCode=self.text
            ),
        )

    def badge(self) -> Json:
        version = self.random.choice(["3.0.2", "3.0.3"])
        subject = self.node(
            ["AchievementSubject"],
            achievement=self.achievement,
            identifier=lambda: self.node(
                ["IdentityObject"],
                hashed=lambda: self.random.random() < 0.5,
                identityHash=self.text,
                salt=self.text,
            ),
            result=lambda: self.node(["Result"], value=self.text, resultDescription=self.url),
        )
        return {
            "@context": [V2, f"{OPEN_BADGES}{version}.json"],
            **self.node(
                ["VerifiableCredential", "OpenBadgeCredential"],
                name=self.text,
                issuer=self.profile,
                validFrom=self.moment,
                validUntil=self.moment,
                evidence=lambda: self.node(["Evidence"], name=self.text, narrative=self.text),
                credentialStatus=self.status,
            ),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "credentialSubject": subject,
        }

    def credential(self) -> Json:
        return {
            "@context": [V2, EXAMPLES],
            **self.some(
                name=self.language,
                description=self.language,
                issuer=lambda: self.one(
                    self.url, lambda: self.some(name=self.language) | {"id": self.url()}
                ),
                validFrom=self.moment,
                credentialStatus=self.status,
                anything=lambda: self.one(
                    self.text,
                    lambda: self.random.random() < 0.5,
                    lambda: self.random.randint(-(2**53) + 1, 2**53 - 1),
                    lambda: self.some(deeper=self.text, still=lambda: self.some(deeper=self.text)),
                ),
            ),
            "type": ["VerifiableCredential", "SomethingElse"],
            "credentialSubject": self.several(lambda: {"id": self.url(), "said": self.text()}),
        }

    def older(self) -> Json:
        return {
            "@context": [V1, DATA_INTEGRITY],
            "type": ["VerifiableCredential"],
            **self.some(issuer=self.url, issuanceDate=self.moment, expirationDate=self.moment),
            "credentialSubject": {"id": self.url()},
            "proof": {
                "type": "DataIntegrityProof",
                **self.some(
                    created=self.moment,
                    cryptosuite=lambda: "eddsa-rdfc-2022",
                    verificationMethod=self.url,
                    proofPurpose=lambda: "assertionMethod",
                ),
            },
        }

    def alike(self) -> Json:
        """Blank nodes that look the same until one looks at what they are tied to."""
        number = self.random.randint(2, 4)
        names = [f"_:n{at}" for at in range(number)]
        people = [
            {"id": name, "knows": [{"id": self.random.choice(names)} for _ in range(2)]}
            for name in names
        ]
        return {
            "@context": [V2, EXAMPLES],
            "type": ["VerifiableCredential"],
            "credentialSubject": {"id": self.url(), "people": people},
        }

    def document(self) -> Json:
        found: Json = self.one(self.badge, self.badge, self.credential, self.older, self.alike)
        return found


def by_pyoxigraph(quads: tuple[Quad, ...]) -> str:
    lines = "".join(quad.line() for quad in quads)
    parsed = pyoxigraph.parse(lines.encode(), format=pyoxigraph.RdfFormat.N_QUADS)
    dataset = pyoxigraph.Dataset(parsed)
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    return "".join(sorted(f"{quad} .\n" for quad in dataset))


def test_three_implementations_agree_on_every_document(contexts: Contexts) -> None:
    writer = Writer(20261125)
    documents = [writer.document() for _ in range(COUNT)]

    in_node = canonize(dict(contexts.documents), documents)

    assert len(in_node) == COUNT
    different: list[tuple[int, str]] = []
    for number, (document, theirs) in enumerate(zip(documents, in_node, strict=True)):
        quads = to_quads(document, contexts)
        ours = canonical_nquads(quads)
        if ours != theirs:
            different.append((number, "node"))
        if as_lines(ours) != as_lines(by_pyoxigraph(quads)):
            different.append((number, "pyoxigraph"))
    assert different == []


def as_lines(text: str) -> set[pyoxigraph.Quad]:
    """The quads themselves: pyoxigraph writes some characters in another way, and means the same."""
    return set(pyoxigraph.parse(text.encode(), format=pyoxigraph.RdfFormat.N_QUADS))
