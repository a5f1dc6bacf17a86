"""HTML over HTTP: one file per place a person visits."""

from fastapi import FastAPI

from kpass_vc.pages import catalogue, reference


def install(app: FastAPI) -> None:
    """Add every page to the app."""
    app.include_router(catalogue.router)
    app.include_router(reference.router)
