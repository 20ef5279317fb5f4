"""Secrets in stored scripts: found, hidden, and put back."""
