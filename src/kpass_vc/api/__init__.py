"""JSON over HTTP: one file per protocol or resource, its messages beside its routes."""
