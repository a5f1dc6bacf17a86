"""Change the key-encryption key: every private key and secret is sealed anew under it.

It may be broken off between any two steps and done again, and servers go on
meanwhile: the new key lies beside the old one until everything is sealed under
it, then takes its place in one step. Where the key comes from a variable, the
new one stands in KPASS_KEK and the old one in KPASS_KEK_PREVIOUS, for the
servers too, until this is done. No key is made and no second change runs
meanwhile: the old key would be gone before what they write is sealed anew.
"""

from sqlalchemy.orm import Session

from kpass_vc.environment import Environment, next_kek, open_environment, write_kek
from kpass_vc.errors import Conflict
from kpass_vc.keystores.file import sync_folder
from kpass_vc.records import key as keys
from kpass_vc.records.service import hold_service
from kpass_vc.settings import Settings


def rotate_kek(settings: Settings) -> int:
    """How many files were sealed anew; Conflict if a variable holds the key and not the one before it."""
    if settings.kek is not None and settings.kek_previous is None:
        raise Conflict("kek_previous")
    env = open_environment(settings)
    try:
        with env.writing() as session, session.begin():
            hold_service(session, shared=False)
            return (
                _seal_anew(env, session) if settings.kek else _change_file(env, session, settings)
            )
    finally:
        env.engine.dispose()


def _change_file(env: Environment, session: Session, settings: Settings) -> int:
    following = next_kek(settings)
    write_kek(following)
    done = _seal_anew(env, session)
    following.replace(settings.kek_file)
    sync_folder(settings.kek_file.parent)
    return done


def _seal_anew(env: Environment, session: Session) -> int:
    owners = keys.owners(session)
    return sum(store.reseal(owners) for store in env.key_stores.values())
