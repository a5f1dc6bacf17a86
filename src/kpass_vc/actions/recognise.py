"""Find the credential in whatever was handed in: a text, a picture, a link, a typed code.

Our own links and codes are answered from our records: nothing is asked of
ourselves over the network. What lies elsewhere is fetched, and the way is short
whatever it says: from a QR code to a link, from a link to a file or a picture
or to the credential that a page names. A QR code is looked for in what was
handed in only, so no picture leads on to another.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Final, Literal, TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from kpass_vc.actions.share import open_holder, open_share
from kpass_vc.baking import kind_of, unbake
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, Malformed, NotFound, TooLarge
from kpass_vc.fetch import PICTURE
from kpass_vc.formats import FORMATS
from kpass_vc.language import Language, say
from kpass_vc.links import read_code
from kpass_vc.model.document import MAX_PICTURE, read_json
from kpass_vc.qr import read_qr
from kpass_vc.records.award import Representation

Step: TypeAlias = Literal[
    "json", "jwt", "png", "svg", "qr", "url", "share_link", "holder_link", "code",
    "pdf", "zip", "presentation",
]  # fmt: skip
Route: TypeAlias = tuple[Step, ...]

ACCEPT: Final = (
    "application/vc+ld+json, application/vc+jwt, application/jwt, application/json;q=0.9, "
    "image/png;q=0.8, image/svg+xml;q=0.8, text/plain;q=0.6, text/html;q=0.5"
)
_PHOTOGRAPHS: Final = (b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")
_JWT: Final = re.compile(  # possessive, and from a word's beginning only: linear whatever is pasted
    r"(?<![A-Za-z0-9_-])ey[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+"
)
_URL: Final = re.compile(r"https?://[^\s<>\"'`{}|\\^]{1,2000}", re.IGNORECASE)
_CODE: Final = re.compile(r"\b[0-9A-Za-z]{4}(?:[-\u2010-\u2015][0-9A-Za-z]{4}){2}\b")
_LINK: Final = re.compile(r"<link\s([^<>]{1,3000})>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"""([a-z]{1,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_CREDENTIAL_TYPES: Final = frozenset(
    {"application/vc+ld+json", "application/vc", "application/vc+jwt"}
)
_HEAD: Final = 256 * 1024
"""How much of a page is looked through for the credential it names."""


@dataclass(frozen=True)
class Found:
    """A secured credential, not judged yet, and the way to it."""

    secured: bytes
    route: Route

    def way(self, language: Language) -> str:
        """The way in words."""
        return " → ".join(say(language, f"route.{step}") for step in self.route)


def find_credential(env: Environment, given: bytes, before: Route = ()) -> Found:
    """The credential in what was handed in; Malformed, NotFound or NotFetched say why there is none.

    `before` is how we came to it: what it was packed in.
    """
    if len(given) > MAX_PICTURE:
        raise TooLarge(limit=MAX_PICTURE)
    if not is_picture(given):
        return _in_text(env, read_text(given), before)
    baked = _baked(given, before)
    if baked is not None:
        return baked
    if kind_of(given) == "svg":
        raise Malformed("nothing_in_picture")
    return _in_text(env, _the_one(env, read_qr(given)), (*before, "qr"))


def is_picture(given: bytes) -> bool:
    """Whether the bytes begin like a picture."""
    return kind_of(given) is not None or given.startswith(_PHOTOGRAPHS)


def holds_credential(given: bytes) -> bool:
    """Whether a credential stands in a text or is baked into a picture; a link to one does not count."""
    try:
        return _served(given, ()) is not None
    except KpassError:
        return False


def leading(env: Environment, texts: Iterable[str]) -> list[str]:
    """Of the texts of QR codes those that lead to a credential: our own links if there are any, else all."""
    found = [text.strip() for text in dict.fromkeys(texts) if leads_somewhere(text)]
    own = [text for text in found if _own_path(env, text) is not None]
    return own or found


def leading_in_words(env: Environment, links: Iterable[str], words: str) -> list[str]:
    """What leads to a credential in a text with its links: our own links to one, else codes, JWTs, other links."""
    written = [link.group().rstrip(".,;:!?)]*") for link in _URL.finditer(words)]
    for several in (links, written):
        own = [link for link in dict.fromkeys(several) if _opens(_own_path(env, link))]
        if own:
            return own
    for pattern in (_CODE, _JWT):
        found = [match.group() for match in pattern.finditer(words)]
        if found:
            return list(dict.fromkeys(found))
    there = [link for link in dict.fromkeys((*links, *written)) if _URL.fullmatch(link)]
    return [link for link in there if _own_path(env, link) is None][:1]


def leads_somewhere(text: str) -> bool:
    """Whether a credential, a link or a code stands in a text."""
    return bool(
        _secured_in(text.strip(), ()) or _URL.search(text) or read_code(text) or _CODE.search(text)
    )


def read_text(given: bytes) -> str:
    """The text without what editors put around it; Malformed if it is none."""
    try:
        text = given.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("unrecognised") from error
    return text.strip().strip("\ufeff\u200b").strip()


def _opens(path: list[str] | None) -> bool:
    """Whether a path of ours is that of a share link or of a learner's own page."""
    return path is not None and len(path) > 1 and path[0] in {"s", "c"}


def _baked(given: bytes, route: Route) -> Found | None:
    """The credential in a picture, or None."""
    kind = kind_of(given)
    secured = unbake(given) if kind is not None else None
    return Found(secured, (*route, kind)) if kind is not None and secured is not None else None


def _in_text(env: Environment, text: str, route: Route) -> Found:
    """What a text is, or else what stands in it: JSON, a JWT, a link, a code."""
    code = read_code(text)
    if code is not None:
        return _shared(env, code, "json", (*route, "code"))
    found = _secured_in(text, route)
    if found is not None:
        return found
    link = _URL.search(text)
    if link is not None:
        return _behind(env, link.group().rstrip(".,;:!?)]*"), route)
    host = env.addresses.base.partition("://")[2]
    if text.lower().startswith(f"{host}/".lower()) and not re.search(r"\s", text):
        return _behind(env, env.addresses.base + text[len(host) :], route)
    codes = {each.group() for each in _CODE.finditer(text[:10_000])}
    if len(codes) == 1:
        return _shared(env, codes.pop(), "json", (*route, "code"))
    raise Malformed("qr_without_credential" if "qr" in route else "unrecognised")


def _secured_in(text: str, route: Route) -> Found | None:
    """A credential as JSON or JWT, with or without other words around it; a broken one is left to verification."""
    if text.startswith("ey") and "." in text and not re.search(r"[\s/]", text):
        return Found(text.encode(), (*route, "jwt"))
    inner = text[text.find("{") : text.rfind("}") + 1].encode()
    if inner and _is_json(inner):
        return Found(inner, (*route, "json"))
    if text.startswith("{"):
        return Found(text.encode(), (*route, "json"))
    tokens = {each.group() for each in _JWT.finditer(text)}
    return Found(tokens.pop().encode(), (*route, "jwt")) if len(tokens) == 1 else None


def _behind(env: Environment, url: str, route: Route) -> Found:
    """What a link leads to: our own records, or what another serves there."""
    own = _own_path(env, url)
    if own is not None:
        return _own(env, own, route)
    fetched = env.fetcher.get(url, accept=ACCEPT, limit=PICTURE)
    route = (*route, "url")
    found = _served(fetched.body, route)
    if found is not None:
        return found
    named = _named_credential(fetched.url, fetched.body)
    if named is not None:
        found = _served(env.fetcher.get(named, accept=ACCEPT).body, route)
    if found is None:
        raise NotFound("nothing_behind_link", url=url[:200])
    return found


def _served(body: bytes, route: Route) -> Found | None:
    """The credential that was served, as itself or in a picture, or None."""
    if kind_of(body) is not None:
        return _baked(body, route)
    try:
        text = read_text(body)
    except Malformed:
        return None
    return None if text.startswith("<") else _secured_in(text, route)


def _named_credential(page: str, body: bytes) -> str | None:
    """The address of the credential that a page names, if it has the page's own origin."""
    for link in _LINK.finditer(body[:_HEAD].decode("utf-8", "replace")):
        attributes = {
            name.lower(): unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(link[1])
        }
        is_credential = attributes.get("type", "").lower() in _CREDENTIAL_TYPES
        if is_credential and "alternate" in attributes.get("rel", "").lower().split():
            try:
                there = urljoin(page, attributes.get("href", ""))
            except ValueError:
                continue
            if _origin(there) == _origin(page) is not None and there != page:
                return there
    return None


def _own_path(env: Environment, url: str) -> list[str] | None:
    """The parts of the path under our own address, or None if it lies elsewhere."""
    base, there = _split(env.addresses.base), _split(url)
    if base is None or there is None or _origin(url) != _origin(env.addresses.base):
        return None
    prefix = base.path.rstrip("/") + "/"
    if not there.path.startswith(prefix):
        return None
    return there.path.removeprefix(prefix).split("/")


def _own(env: Environment, path: list[str], route: Route) -> Found:
    """What one of our own links opens, without a request to ourselves."""
    form = "jwt" if path[-1].endswith(".jwt") else "json"
    match path:
        case ["s", code, *_]:
            return _shared(env, code, form, (*route, "share_link"))
        case ["c", token, *_]:
            with env.reading() as session:
                rows = open_holder(env, session, token).representations
                return Found(_form(rows, form), (*route, "holder_link"))
        case _:
            raise NotFound("nothing_behind_link", url="/" + "/".join(path)[:200])


def _shared(env: Environment, code: str, form: str, route: Route) -> Found:
    with env.reading() as session:
        return Found(_form(open_share(env, session, code).representations, form), route)


def _form(rows: Iterable[Representation], form: str) -> bytes:
    """The bytes of one representation, of that form if there is one."""
    ranked = sorted(rows, key=lambda row: FORMATS[row.format].extension != form)
    if not ranked:
        raise NotFound("share_link")
    return ranked[0].body


def _the_one(env: Environment, texts: tuple[str, ...]) -> str:
    """The QR code that leads to a credential; Malformed if none does, or several do."""
    found = leading(env, texts)
    if not found:
        raise Malformed("qr_without_credential" if texts else "nothing_in_picture")
    if len(found) > 1:
        raise Malformed("several_qr_codes", number=len(found))
    return found[0]


def _is_json(body: bytes) -> bool:
    try:
        read_json(body)
    except KpassError:
        return False
    return True


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host with what may stand before it, and port; None for what has none."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return None
    user, _, _ = parts.netloc.rpartition("@")
    port = {"https": 443, "http": 80}.get(parts.scheme) if parts.port is None else parts.port
    return parts.scheme, f"{user}@{parts.hostname}", port


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts
