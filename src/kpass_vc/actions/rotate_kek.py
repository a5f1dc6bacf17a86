"""Change the key-encryption key: every private key and secret is sealed anew under it.

It may be broken off between any two steps and done again, and servers go on
meanwhile: the new key lies beside the old one until everything is sealed under
it, then takes its place in one step. Where the key comes from a variable, the
new one stands in KPASS_KEK and the old one in KPASS_KEK_PREVIOUS, for the
servers too, until this is done.
"""

from kpass_vc.environment import next_kek, open_stores, read_keks, write_kek
from kpass_vc.errors import Conflict
from kpass_vc.keystores.file import sync_folder
from kpass_vc.records import key as keys
from kpass_vc.records.base import open_engine, read_session
from kpass_vc.settings import Settings


def rotate_kek(settings: Settings) -> int:
    """How many files were sealed anew; Conflict if a variable holds the key and not the one before it."""
    if settings.kek is not None:
        if settings.kek_previous is None:
            raise Conflict("kek_previous")
        return _reseal(settings)
    following = next_kek(settings)
    if not following.exists():
        read_keks(settings)
        write_kek(following)
    done = _reseal(settings)
    # a server that had read the old key alone may have made a key meanwhile
    done += _reseal(settings)
    following.replace(settings.kek_file)
    sync_folder(settings.kek_file.parent)
    return done


def _reseal(settings: Settings) -> int:
    engine = open_engine(settings.database_url)
    try:
        with read_session(engine) as session:
            owners = keys.owners(session)
    finally:
        engine.dispose()
    return sum(store.reseal(owners) for store in open_stores(settings).values())
