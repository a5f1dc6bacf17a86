"""Bytes and keys; knows nothing of credentials."""
