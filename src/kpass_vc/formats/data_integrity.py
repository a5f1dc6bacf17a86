"""Documents with embedded Data Integrity proofs: one, a set, or a chain (VC Data Integrity 1.0)."""

from collections.abc import Mapping
from typing import Final

from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.cryptosuites import CRYPTOSUITES, DERIVING, suite_of
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.errors import Malformed, ProofInvalid
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.jsonld.contexts import CREDENTIALS_V1, DATA_INTEGRITY_V2, Contexts
from kpass_vc.model.dates import parse_date_time, utc_text
from kpass_vc.model.document import JsonObject, compact_without_floats, pointer, read_json

_DATA_INTEGRITY_PROOF: Final = "DataIntegrityProof"
_DEFAULT_SUITE: Final = "eddsa-rdfc-2022"
_MOST_PROOFS: Final = 10
_DEMANDED: Final = ("type", "verificationMethod", "proofPurpose", "proofValue")


class DataIntegrity:
    """Proofs inside the document."""

    name: Final = "ldp_vc"
    media_type: Final = "application/vc+ld+json"
    extension: Final = "json"
    algorithm: Final = Algorithm.ED25519

    def claims(self, head: bytes) -> bool:
        """Whether it begins like a JSON object."""
        return head.startswith(b"{")

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The credential with its proof as the last member, as compact JSON."""
        return compact_without_floats(add_proof(credential, _DEFAULT_SUITE, signing, contexts))

    def read(self, body: bytes) -> Presented:
        """The document and its proofs; Malformed names the proof member that is missing or wrong."""
        document = read_json(body, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        return presented(document, body)

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if the proof is of a suite we know and holds, over the proofs it builds on if it is of a chain."""
        suite = suite_of(proof.options)
        if suite is None:
            name = proof.options.get("cryptosuite", proof.options["type"])
            raise ProofInvalid("cryptosuite", cryptosuite=str(name)[:80])
        document, options = presented.document, proof.options
        previous = _previous(presented, proof)
        if previous:
            # section 4.5 (Verify Proof Sets and Chains): the proofs it builds on were signed with it
            suite.check_proof({**document, "proof": previous}, options, key, contexts)
        else:
            graph = presented.graph(contexts)
            graph.signer = (proof.verification_method or "").partition("#")[0]
            suite.check_proof(document, options, key, contexts, graph=graph)
            graph.was_verified()


def presented(document: JsonObject, body: bytes) -> Presented:
    """A document that was read, apart from its proofs; Malformed as `DataIntegrity.read`."""
    if "proof" not in document:
        raise Malformed("no_proof", field="/proof")
    rest = {name: value for name, value in document.items() if name != "proof"}
    found = document["proof"]
    several = isinstance(found, list)
    proofs = found if isinstance(found, list) else [found]
    if not proofs:
        raise Malformed("no_proof", field="/proof")
    if len(proofs) > _MOST_PROOFS:
        raise Malformed("several_proofs", field="/proof", limit=_MOST_PROOFS)
    return Presented(
        format=DataIntegrity.name,
        document=rest,
        proofs=tuple(
            _read_proof(proof, ("proof", number) if several else ("proof",))
            for number, proof in enumerate(proofs)
        ),
        secured=body,
    )


def add_proof(
    document: Mapping[str, object],
    suite_name: str,
    signing: Signing,
    contexts: Contexts,
    *,
    options: Mapping[str, object] | None = None,
    disclosure: Disclosure | None = None,
) -> JsonObject:
    """The document with a proof of a suite as its last member; a VC 1.1 one gets the context that defines it.

    `options` come first among the proof's: another proofPurpose, a challenge, a domain.
    """
    whole = with_proof_context(document)
    made = {
        "created": utc_text(signing.created),
        "verificationMethod": signing.verification_method,
        "proofPurpose": "assertionMethod",
    } | dict(options or {})
    suite = CRYPTOSUITES[suite_name]
    proof = suite.add_proof(whole, made, signing.signer, contexts, disclosure=disclosure)
    return {**whole, "proof": proof}


def with_proof_context(document: Mapping[str, object]) -> JsonObject:
    """The document with the Data Integrity context, where VCDM 1.1's does not define the terms of a proof."""
    found = document.get("@context")
    contexts = found if isinstance(found, list) else [found]
    if contexts[:1] != [CREDENTIALS_V1] or DATA_INTEGRITY_V2 in contexts:
        return dict(document)
    return {**document, "@context": [*contexts, DATA_INTEGRITY_V2]}


def derive(
    presented: Presented, selective_pointers: tuple[str, ...], contexts: Contexts
) -> JsonObject:
    """The document with a derived proof of its one base proof; Malformed if its suite derives none."""
    for proof in presented.proofs:
        suite = DERIVING.get(str(proof.options.get("cryptosuite")))
        if suite is not None:
            return suite.derive(presented.document, proof.options, selective_pointers, contexts)
    raise Malformed("not_derivable", field="/proof")


def _read_proof(proof: object, place: tuple[str | int, ...]) -> PresentedProof:
    if not isinstance(proof, dict):
        raise Malformed("no_proof", field=pointer(*place))
    for member in _demanded(proof):
        if not isinstance(proof.get(member), str):
            raise Malformed("proof_member", field=pointer(*place, member))
    for member in ("created", "expires"):
        if member in proof and not _is_moment(proof[member]):
            raise Malformed("proof_moment", field=pointer(*place, member))
    if "id" in proof and not isinstance(proof["id"], str):
        raise Malformed("proof_member", field=pointer(*place, "id"))
    method = proof.get("verificationMethod")
    return PresentedProof(
        options=proof,
        verification_method=method if isinstance(method, str) else None,
        purpose=str(proof.get("proofPurpose", "")),
    )


def _demanded(proof: JsonObject) -> tuple[str, ...]:
    """The members that a proof must have by its type; what one of a type we do not know must have we cannot say."""
    if proof.get("type") == _DATA_INTEGRITY_PROOF:
        return (*_DEMANDED, "cryptosuite")
    return (*_DEMANDED, "created") if suite_of(proof) is not None else ("type",)


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and parse_date_time(value) is not None


def _previous(presented: Presented, proof: PresentedProof) -> list[JsonObject]:
    """The proofs that one builds on; ProofInvalid if one is not there once, or of no suite we know."""
    wanted = proof.options.get("previousProof", [])
    names = wanted if isinstance(wanted, list) else [wanted]
    others = [other.options for other in presented.proofs if other.options is not proof.options]
    for name in names:
        matching = [other for other in others if other.get("id") == name]
        if len(matching) != 1 or not isinstance(name, str):
            raise ProofInvalid("previous_proof", proof=str(name)[:200])
        if suite_of(matching[0]) is None:
            # only verified if what it builds on is, whoever else passes over proofs of other suites
            raise ProofInvalid("previous_unknown", proof=name[:200])
    # in the order of the document: previousProof is an unordered list (section 2.1)
    return [other for other in others if other.get("id") in names]
