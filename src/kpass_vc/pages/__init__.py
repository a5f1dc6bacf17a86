"""HTML over HTTP: one file per place a person visits."""

from fastapi import FastAPI

from kpass_vc.pages import catalogue, compare, reference, search, start


def install(app: FastAPI) -> None:
    """Add every page to the app."""
    for part in (start, search, compare, catalogue, reference):
        app.include_router(part.router)
