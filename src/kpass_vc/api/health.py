"""healthz: the process answers; readyz: and so does all it needs."""

from fastapi import APIRouter
from pydantic import BaseModel

from kpass_vc.edge import Env, ReadTx
from kpass_vc.errors import Unavailable
from kpass_vc.records.service import the_service

router = APIRouter(tags=["Health"])


class Health(BaseModel):
    """That it is well."""

    status: str = "ok"


@router.get("/healthz", summary="Whether the process answers")
def healthz() -> Health:
    """Always ok while the process runs."""
    return Health()


@router.get("/readyz", summary="Whether the service can do its work")
def readyz(env: Env, session: ReadTx) -> Health:
    """Ok when the database answers, is set up, and the keys are safe; 503 otherwise."""
    if the_service(session) is None:
        raise Unavailable("not_initialised")
    for store in env.key_stores.values():
        store.check()
    return Health()
