"""HTML over HTTP: one file per place a person visits."""

from fastapi import FastAPI

from kpass_vc.pages import (
    catalogue,
    compare,
    console,
    folder,
    holder,
    letter,
    reference,
    search,
    shared,
    start,
    verify,
)
from kpass_vc.pages.console import frame


def install(app: FastAPI) -> None:
    """Add every page to the app."""
    for part in (
        start,
        search,
        compare,
        catalogue,
        verify,
        holder,
        folder,
        letter,
        shared,
        reference,
        console,
    ):
        app.include_router(part.router)
    frame.install(app)
