"""EnvelopedVerifiableCredential and EnvelopedVerifiablePresentation (VCDM 2.0 sections 4.12.3 and 4.13.1).

A JSON object whose id is a data: URL with the secured bytes: so that what is signed otherwise can stand
where a credential is expected.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from kpass_vc.errors import Malformed
from kpass_vc.jsonld.contexts import CREDENTIALS_V2
from kpass_vc.model.document import JsonObject, read_json

CREDENTIAL: Final = "EnvelopedVerifiableCredential"
PRESENTATION: Final = "EnvelopedVerifiablePresentation"
_MARK: Final = b'"Enveloped'
_MEDIA_TYPES: Final = {
    CREDENTIAL: frozenset(
        {"application/vc+jwt", "application/vc+sd-jwt", "application/vc+cose", "application/jwt"}
    ),
    PRESENTATION: frozenset(
        {"application/vp+jwt", "application/vp+sd-jwt", "application/vp+cose", "application/jwt"}
    ),
}
_BINARY: Final = frozenset({"application/vc+cose", "application/vp+cose"})


@dataclass(frozen=True)
class Enclosed:
    """What an envelope holds: secured bytes, and of which media type it says they are."""

    media_type: str
    secured: bytes


def envelope(secured: bytes, media_type: str, kind: str = CREDENTIAL) -> JsonObject:
    """The object that stands for secured bytes."""
    if media_type in _BINARY:
        text = f"data:{media_type};base64,{base64.b64encode(secured).decode()}"
    else:
        text = f"data:{media_type},{secured.decode()}"
    return {"@context": [CREDENTIALS_V2], "id": text, "type": kind}


def opened(body: bytes) -> Enclosed | None:
    """What is in an envelope, None if it is no envelope; Malformed if it is a broken one."""
    if not body.lstrip().startswith(b"{") or _MARK not in body:
        return None
    document = read_json(body)
    types = document.get("type")
    kinds = types if isinstance(types, list) else [types]
    kind = next((kind for kind in kinds if kind in _MEDIA_TYPES), None)
    if not isinstance(kind, str) or "proof" in document:
        return None
    contexts = document.get("@context")
    first = contexts[:1] if isinstance(contexts, list) else [contexts]
    if first != [CREDENTIALS_V2]:
        raise Malformed("envelope", field="/@context")
    if len(kinds) != 1:
        raise Malformed("envelope", field="/type")
    if document.keys() - {"@context", "id", "type"}:
        raise Malformed("envelope", field=f"/{min(document.keys() - {'@context', 'id', 'type'})}")
    url = document.get("id")
    if not isinstance(url, str) or not url.startswith("data:") or "," not in url:
        raise Malformed("envelope", field="/id")
    return _content(url, _MEDIA_TYPES[kind])


def _content(url: str, media_types: frozenset[str]) -> Enclosed:
    """What is in a data: URL (RFC 2397) of one of the media types."""
    head, _, data = url.removeprefix("data:").partition(",")
    media_type, *parameters = [part.strip().lower() for part in head.split(";")]
    if media_type not in media_types:
        raise Malformed("envelope", field="/id")
    raw = unquote_to_bytes(data)
    if "base64" not in parameters:
        return Enclosed(media_type, raw)
    raw = b"".join(raw.split())  # a URL parser takes line breaks out (URL standard, section 4.4)
    try:
        secured = base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("envelope", field="/id") from error
    return Enclosed(media_type, secured)


def without_envelopes(document: Mapping[str, object]) -> JsonObject:
    """A presentation without the credentials in it that are enveloped: what they say is under their own signatures."""
    found = document.get("verifiableCredential")
    inside = found if isinstance(found, list) else [found]
    kept = [entry for entry in inside if not (isinstance(entry, dict) and _is_envelope(entry))]
    rest = {name: value for name, value in document.items() if name != "verifiableCredential"}
    return {**rest, "verifiableCredential": kept} if kept and found is not None else rest


def _is_envelope(entry: JsonObject) -> bool:
    types = entry.get("type")
    return CREDENTIAL in (types if isinstance(types, list) else [types])
