"""The other side: issuers and verifiers written by other people."""
