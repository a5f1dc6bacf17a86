"""Shapes that documents have, as pydantic models; no behaviour beyond validation."""
