"""KEY_STORES: URI scheme -> how to open the store. A new store registers here."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from kpass_vc.keystores.file import FileKeyStore
from kpass_vc.keystores.keystore import KeyStore

KEY_STORES: Final[Mapping[str, Callable[[Path, Callable[[], Sequence[bytes]]], KeyStore]]] = {
    "file": FileKeyStore
}
