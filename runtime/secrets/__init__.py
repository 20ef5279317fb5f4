"""Secrets, their sources and their redaction."""

from runtime.secrets.secret import NO_SECRET, Secret, hidden, redact, secrets_in

__all__ = ["NO_SECRET", "Secret", "hidden", "redact", "secrets_in"]
