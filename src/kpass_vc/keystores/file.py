"""Encrypted private-key files under one folder.

AES-256-GCM under a random key-encryption key (KEK) that lies elsewhere and can be
changed while others use the store: then two are good, the newer one seals.
Organisation and key id are authenticated with the file, so that a file which is
copied to another organisation's place does not open; a secret of the installation,
which belongs to none, lies beside the keys. The folder must be 0700 and the files
0600, ours; anything else and the service does not start.
"""

import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.crypto.signers import new_private_key, signer_of
from kpass_vc.errors import Malformed, Unavailable

_SCHEME: Final = "file:"
_VERSION: Final = "1"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
KEK_BYTES: Final = 32
SECRET_BYTES: Final = 32
NO_ORGANIZATION: Final = ""
"""What a secret of the installation is bound to, where a key is bound to its organisation."""


class FileKeyStore:
    """Keys as files `<key id>.key` in one folder; a signer is decrypted once and kept in memory.

    `keks` gives the key-encryption keys that are good now, the one that seals first. It is asked anew
    whenever something is sealed or does not open: a change of KEK must not stop a server that runs.
    """

    def __init__(self, folder: Path, keks: Callable[[], Sequence[bytes]]) -> None:
        self.folder = folder
        self._keks = keks
        self._good = self._read_keks()
        self._signers: dict[tuple[str, str], Signer] = {}

    def __repr__(self) -> str:
        return f"FileKeyStore({str(self.folder)!r})"

    def generate(
        self, algorithm: Algorithm, *, organization_id: str, key_id: str
    ) -> tuple[str, PublicKey]:
        """A new key in a new file, on disk before this returns."""
        private = new_private_key(algorithm)
        public = signer_of(algorithm, private).public_key
        content = {
            "version": _VERSION,
            "algorithm": algorithm.value,
            "public": public.multikey(),
            "organization": organization_id,
            **self._sealed(private, organization_id, key_id),
        }
        self._write(self.folder / f"{key_id}.key", json.dumps(content, indent=1).encode())
        return f"{_SCHEME}{key_id}", public

    def reseal(self, owners: Mapping[str, str]) -> int:
        """Seal every secret, and the keys of these URIs and organisations, under the KEK that seals now.

        Each file is replaced whole or not at all, and one that is sealed so already is left: it may be
        broken off anywhere and done again. Says how many were sealed anew.
        """
        self._good = self._read_keks()
        places = {path.stem: (path, NO_ORGANIZATION) for path in self.folder.glob("*.secret")}
        for path in self.folder.glob("*.key"):
            written = json.loads(path.read_bytes()).get("organization")
            organization_id = owners.get(f"{_SCHEME}{path.stem}", written)
            if organization_id is not None:  # of a key that is being made, only the file tells it
                places[path.stem] = (path, organization_id)
        return sum(
            self._reseal(path, organization_id, name)
            for name, (path, organization_id) in sorted(places.items())
        )

    def _reseal(self, path: Path, organization_id: str, name: str) -> bool:
        content = json.loads(path.read_bytes())
        bound = _bound(organization_id, name)
        nonce, sealed = base64url_decode(content["nonce"]), base64url_decode(content["private"])
        try:
            AESGCM(self._good[0]).decrypt(nonce, sealed, bound)
        except InvalidTag:
            try:
                private = self._unsealed(content, organization_id, name)
            except InvalidTag as error:
                raise Unavailable("key_sealed", key=name) from error
            fresh = content | self._sealed(private, organization_id, name)
            beside = path.with_suffix(f"{path.suffix}.new")
            beside.unlink(missing_ok=True)
            self._write(beside, json.dumps(fresh, indent=1).encode())
            beside.replace(path)
            sync_folder(self.folder)
            return True
        return False

    def discard(self, uri: str) -> None:
        """Remove the file of a key, and forget what of it is in memory."""
        for known in [each for each in self._signers if each[0] == uri]:
            self._signers.pop(known, None)
        (self.folder / f"{uri.removeprefix(_SCHEME)}.key").unlink(missing_ok=True)

    def signer(self, uri: str, *, organization_id: str) -> Signer:
        """The signer of a key file."""
        known = self._signers.get((uri, organization_id))
        if known is None:
            known = self._signers[uri, organization_id] = self._open(
                uri.removeprefix(_SCHEME), organization_id
            )
        return known

    def make_secret(self, name: str) -> None:
        """A new random secret in a new file, on disk before this returns; what is there stays as it is."""
        path = self.folder / f"{name}.secret"
        if path.exists():
            return
        content = {
            "version": _VERSION,
            **self._sealed(os.urandom(SECRET_BYTES), NO_ORGANIZATION, name),
        }
        self._write(path, json.dumps(content, indent=1).encode())

    def secret(self, name: str) -> bytes:
        """The secret of a file."""
        try:
            content = json.loads((self.folder / f"{name}.secret").read_bytes())
            return self._unsealed(content, NO_ORGANIZATION, name)
        except FileNotFoundError as error:
            raise Unavailable("secret_missing", name=name) from error
        except (InvalidTag, ValueError, KeyError, TypeError, Malformed) as error:
            raise Unavailable("secret_sealed", name=name) from error

    def check(self) -> None:
        """Return if nobody else can read the folder or a key in it."""
        if not self.folder.is_dir():
            raise Unavailable("keys_missing", path=self.folder)
        secrets = self.folder.glob("*.secret")
        for path in (self.folder, *self.folder.glob("*.key"), *secrets):
            require_private(path, owner=os.geteuid())

    def _open(self, key_id: str, organization_id: str) -> Signer:
        path = self.folder / f"{key_id}.key"
        try:
            content = json.loads(path.read_bytes())
            private = self._unsealed(content, organization_id, key_id)
            signer = signer_of(Algorithm(content["algorithm"]), private)
        except FileNotFoundError as error:
            raise Unavailable("key_missing", key=key_id) from error
        except (InvalidTag, ValueError, KeyError, TypeError, Malformed) as error:
            raise Unavailable("key_sealed", key=key_id) from error
        if signer.public_key.multikey() != content.get("public"):
            raise Unavailable("key_sealed", key=key_id)
        return signer

    def _sealed(self, private: bytes, organization_id: str, key_id: str) -> dict[str, str]:
        self._good = self._read_keks()
        nonce = os.urandom(12)
        sealed = AESGCM(self._good[0]).encrypt(nonce, private, _bound(organization_id, key_id))
        return {"nonce": base64url_encode(nonce), "private": base64url_encode(sealed)}

    def _unsealed(self, content: dict[str, str], organization_id: str, key_id: str) -> bytes:
        nonce, sealed = base64url_decode(content["nonce"]), base64url_decode(content["private"])
        bound = _bound(organization_id, key_id)
        for kek in self._good:
            with suppress(InvalidTag):
                return AESGCM(kek).decrypt(nonce, sealed, bound)
        self._good = self._read_keks()
        for kek in self._good[:-1]:
            with suppress(InvalidTag):
                return AESGCM(kek).decrypt(nonce, sealed, bound)
        return AESGCM(self._good[-1]).decrypt(nonce, sealed, bound)

    def _read_keks(self) -> tuple[bytes, ...]:
        found = tuple(self._keks())
        if not found or any(len(kek) != KEK_BYTES for kek in found):
            raise Unavailable("kek_length", expected=KEK_BYTES)
        return found

    def _write(self, path: Path, content: bytes) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk before this returns."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def require_private(path: Path, *, owner: int) -> None:
    """Return if `path` belongs to the user id `owner` and nobody else may read or write it, else Unavailable."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != owner or found.st_mode & _OTHERS:
        wanted = "0700" if stat.S_ISDIR(found.st_mode) else "0600"
        raise Unavailable("open_to_others", path=path, wanted=wanted)


def _bound(organization_id: str, key_id: str) -> bytes:
    return f"{organization_id}|{key_id}|{_VERSION}".encode()
