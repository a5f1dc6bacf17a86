"""Verify with nothing but a file of published artefacts: no network and no database.

What lies in the file is believed no more than what a server sends: the DID documents, lists
and definitions in it are judged by the same checks as those that are fetched from elsewhere.
"""

import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from kpass_vc.compose.authorization import withdrawal_url
from kpass_vc.dids import method_of
from kpass_vc.errors import Malformed
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.verification import (
    BADGE,
    STANDARD,
    Evidence,
    VerificationReport,
    confirmed_by,
    verify,
    wanted,
)

Get = Callable[[str], bytes | None]

PUBLIC: Final = "public/"
"""The folder of a bundle that holds files under the paths of their addresses."""


def bundled(file: Path) -> Get:
    """How to get a published file out of a bundle, a folder or a zip, by its address; None for what is not in it.

    Only the path counts: one file or folder holds the artefacts of one service.
    """
    if file.is_dir():

        def from_folder(url: str) -> bytes | None:
            place = (file / _path(url)).resolve()
            inside = file.resolve() in place.parents
            return place.read_bytes() if inside and place.is_file() else None

        return from_folder
    try:
        with zipfile.ZipFile(file) as packed:
            held = {
                name.removeprefix(PUBLIC): packed.read(name)
                for name in packed.namelist()
                if name.startswith(PUBLIC)
            }
    except (zipfile.BadZipFile, OSError) as error:
        raise Malformed("bundle") from error
    return lambda url: held.get(_path(url))


def verify_offline(body: bytes, get: Get, contexts: Contexts, now: datetime) -> VerificationReport:
    """The report on a credential by what a bundle holds; what is not in it is unknown."""
    want = wanted(body, BADGE)
    words = {url: found for url in want.authorizations if (found := get(url))}
    publications = {url: found for url in want.owners if (found := get(url))}
    signed = [*words.values(), *publications.values()]
    further = [wanted(each, STANDARD) for each in signed]
    operators = [want.operator] if want.operator else []
    dids = [*want.dids, *operators, *(did for each in further for did in each.dids)]
    lists = [*want.status_lists, *(url for each in further for url in each.status_lists)]
    evidence = Evidence(
        now=now,
        contexts=contexts,
        did_documents={did: each for did in dids if (each := _did_document(did, get))},
        status_lists={url: found for url in lists if (found := get(url))},
        fetched={url: found for url in want.related if (found := get(url))} | publications,
        authorizations=words,
        withdrawals={
            url: found for url in want.authorizations if (found := get(withdrawal_url(url)))
        },
        confirmations={did: found for did in operators if (found := _confirmed(did, get))},
    )
    return verify(body, evidence, BADGE)


def _confirmed(operator: str, get: Get) -> bytes | None:
    try:
        return get(confirmed_by(operator))
    except Malformed:
        return None


def _did_document(did: str, get: Get) -> JsonObject | None:
    try:
        address = method_of(did).address(did) if did.startswith("did:") else None
        found = get(address) if address else None
        return read_json(found) if found else None
    except Malformed:
        return None


def _path(url: str) -> str:
    return url.partition("://")[2].partition("/")[2]
