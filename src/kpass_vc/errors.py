"""Every error of the domain.

    KpassError                      has a code, its data, and a sentence in sv and en
    ├── Malformed                   the input itself is wrong; `field` and the rule say where and why
    │   ├── NotJson                 not the JSON we accept
    │   ├── TooLarge                larger than we read
    │   ├── InvalidInput            one or several fields break a rule
    │   ├── UnknownContext          a JSON-LD context we do not pin
    │   ├── DataLoss                JSON-LD would drop a part, which would go unsigned
    │   ├── TooComplex              a graph that takes too much work to canonicalise
    │   └── KeyRefused              a public key that is malformed or of a weak kind
    ├── ProofInvalid                a proof or signature that does not hold
    ├── StatusListUnusable          a status list that cannot be read by the rules
    ├── Unauthenticated             no token, or one that is not valid
    ├── OauthRefused                a request for a token that is refused
    ├── OidcRefused                 a sign-in with an OpenID provider that is refused
    ├── Forbidden                   the actor may not do this
    ├── NotFound                    not there, or another organisation's
    ├── Conflict                    the state does not allow it
    │   ├── IdempotencyMismatch     the same Idempotency-Key with another body
    │   └── DefinitionIncomplete    a definition that may not be published yet
    ├── NotFetched                  a document that lies elsewhere and could not be had
    ├── NotDelivered                a notice that could not be handed over now
    ├── Undeliverable               a notice that its receiver will never take
    └── Unavailable                 something we need does not answer, or is set up unsafely

No HTTP status in here: api/problems.py maps classes to statuses. The sentences
are in messages/ under `error.<code>`.
"""

from collections.abc import Mapping
from typing import ClassVar

from kpass_vc.language import Language, has, say


class KpassError(Exception):
    """An error with a code, its data and a sentence; `rule` picks a finer sentence."""

    code: ClassVar[str] = "error"

    def __init__(self, rule: str = "", **data: object) -> None:
        self.rule = rule
        self.data = data
        super().__init__(rule)

    def sentence(self, language: Language) -> str:
        """What went wrong, for a person."""
        kinds = [self.rule, "detail"] if self.rule else ["detail"]
        keys = [f"error.{self.code}.{kind}" for kind in kinds]
        found = next(filter(has, keys), f"error.{self.code}.title")
        return say(language, found, **_in_words(language, self.data))

    def title(self, language: Language) -> str:
        """The kind of error, for a person; the same for every error of the class."""
        return say(language, f"error.{self.code}.title")

    def __str__(self) -> str:
        return self.sentence("en")


def _in_words(language: Language, data: Mapping[str, object]) -> dict[str, object]:
    """The data of a sentence, with a state by its name in the language."""
    key = f"state.{data.get('state')}"
    return {**data, "state": say(language, key)} if has(key) else dict(data)


class Malformed(KpassError):
    """The input is wrong. `data["field"]` names the place as a JSON pointer where there is one."""

    code = "malformed"


class NotJson(Malformed):
    """Not the JSON we accept (RFC 8259 within I-JSON, RFC 7493)."""

    code = "not_json"


class TooLarge(Malformed):
    """More bytes than we read from anyone."""

    code = "too_large"


class FieldError:
    """One broken rule: the field as a JSON pointer, the rule, and what the sentence needs."""

    def __init__(self, field: str, rule: str, **data: object) -> None:
        self.field = field
        self.rule = rule
        self.data = data

    def sentence(self, language: Language) -> str:
        """What is wrong with the field, for a person."""
        said = self.data.get(language)
        return say(language, f"rule.{self.rule}", field=self.field, said=said, **self.data)

    def __repr__(self) -> str:
        return f"FieldError({self.field!r}, {self.rule!r}, {self.data!r})"


class InvalidInput(Malformed):
    """One or several fields break a rule; `fields` lists them all."""

    code = "invalid_input"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__()
        self.fields = fields

    def sentence(self, language: Language) -> str:
        """All broken rules, one after the other."""
        return " ".join(field.sentence(language) for field in self.fields)


class UnknownContext(Malformed):
    """A JSON-LD context we do not pin, so we would not know what we sign."""

    code = "unknown_context"


class DataLoss(Malformed):
    """A part of the document that JSON-LD would drop, so that no proof would cover it."""

    code = "data_loss"


class TooComplex(Malformed):
    """A graph whose canonicalization takes more work than we give to anyone."""

    code = "too_complex"


class KeyRefused(Malformed):
    """A public key that is malformed, off its curve or of small order."""

    code = "key_refused"


class ProofInvalid(KpassError):
    """A proof or signature that does not hold."""

    code = "proof_invalid"


class StatusListUnusable(KpassError):
    """A status list that cannot be read by the rules of Bitstring Status List 1.0."""

    code = "status_list"


class Unauthenticated(KpassError):
    """No token, or one that is unknown, expired or revoked."""

    code = "unauthenticated"


class OauthRefused(KpassError):
    """A request for a token that is refused; the rule is the error code of RFC 6749 section 5.2."""

    code = "oauth"


class OidcRefused(KpassError):
    """A sign-in with an OpenID provider that is refused; the rule says at which step."""

    code = "oidc"


class Forbidden(KpassError):
    """The actor is known and may not do this."""

    code = "forbidden"


class NotFound(KpassError):
    """Not there, or another organisation's: the two look the same from outside."""

    code = "not_found"


class Conflict(KpassError):
    """What is asked for does not fit the present state."""

    code = "conflict"


class IdempotencyMismatch(Conflict):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_mismatch"


class DefinitionIncomplete(Conflict):
    """A definition that lacks something it needs to be published; `gaps` lists it all."""

    code = "definition_incomplete"

    def __init__(self, gaps: "tuple[FieldError, ...]") -> None:
        super().__init__()
        self.gaps = gaps

    def sentence(self, language: Language) -> str:
        """All gaps, one after the other."""
        return " ".join(gap.sentence(language) for gap in self.gaps)


class NotFetched(KpassError):
    """A document that lies elsewhere and could not be had, or that we do not ask for; `data["url"]` names it."""

    code = "not_fetched"


class NotDelivered(KpassError):
    """A notice that could not be handed over now; it may be tried again."""

    code = "not_delivered"


class Undeliverable(KpassError):
    """A notice that its receiver will never take: the address is wrong, or refused for good."""

    code = "undeliverable"


class Unavailable(KpassError):
    """Something we need does not answer, or is set up in an unsafe way."""

    code = "unavailable"
