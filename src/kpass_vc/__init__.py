"""Kompetenspasset VC: issue, carry and verify micro-credentials."""

__version__ = "0.1.0"
