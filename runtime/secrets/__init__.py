"""Secrets: what they are, where they come from, and how they are hidden."""

from runtime.secrets.secret import NO_SECRET, Secret, hidden, redact, secrets_in

__all__ = ["NO_SECRET", "Secret", "hidden", "redact", "secrets_in"]
