"""Certificates of one service: authorities that it trusts, and its own certificate."""

from __future__ import annotations

import logging
import os
import ssl
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from runtime.errors import ConfigError
from runtime.outbound.connection import Certificates
from runtime.outbound.trust import Trust

_log = logging.getLogger("kapacitor.trust")

_SIZE_BYTES = 1 << 20
_CA = "Could not load TLS CA"
_PAIR = "Could not load TLS client key/certificate"
_LONE = "Must provide both key and cert files: only {} file provided."
_NO_PEM = "tls: failed to find any PEM data in {} input"


class _Made(NamedTuple):
    """An SSL context, and the context of the server's trust that it is based on."""

    context: ssl.SSLContext
    shared: ssl.SSLContext | None


class Identity:
    """The certificates in a service's files, as of the service's configuration.

    Requests share connections only with requests of the same identity.
    """

    def __init__(self, files: Certificates) -> None:
        """Read the files.

        Raises:
            ConfigError: a file is missing or has no certificate or key, or only one of
                certificate and key is given. The text is Kapacitor's, with the setting.

        Source: Kapacitor tlsconfig, Create.
        """
        self._files = files
        _check(files)
        self._verified = _Made(_context(files, verify=True), None)
        # unverified requests use only the service's own certificate, if it has one
        self._unverified = _context(files, verify=False) if files.certificate else False

    def context(
        self, trust: Trust | None, *, verify: bool = True
    ) -> ssl.SSLContext | bool:
        """The SSL context of requests, or False to accept any certificate.

        Args:
            trust: the server's own trust, for a service without authorities of its own.
            verify: True to require a trusted certificate.
        """
        if not verify:
            return self._unverified
        shared = None if trust is None or self._files.ca else trust.context()
        if shared is not self._verified.shared:
            self._verified = _Made(self._trusting(trust), shared)
        return self._verified.context

    def _trusting(self, trust: Trust | None) -> ssl.SSLContext:
        """A context that also trusts the server's own authorities."""
        assert trust is not None
        try:
            return _context(self._files, verify=True, more=trust.path)
        except OSError as error:
            _log.warning(
                "failed to read certificates: the previous ones stay in use",
                extra={"path": str(trust.path), "err": error.strerror},
            )
            return self._verified.context


def client_context(
    files: Certificates, trust: Trust | None, *, verify: bool
) -> ssl.SSLContext:
    """An SSL context for a client of another protocol than HTTP, read on each call.

    Args:
        files: certificates of a service, perhaps none.
        trust: the server's own trust, for a service without authorities of its own.
        verify: True to require a trusted certificate.

    Raises:
        ConfigError: the files do not fit together, or have invalid content.
        OSError: the file of the server's own authorities cannot be read.
    """
    more = trust.path if verify and trust is not None and not files.ca else None
    return _context(files, verify=verify, more=more, protocols=())


def _check(files: Certificates) -> None:
    """Refuse files that cannot make a TLS context, with the reason."""
    ca, certificate, key = files.settings
    if files.certificate and not files.key:
        raise ConfigError(_LONE.format("cert"))
    if files.key and not files.certificate:
        raise ConfigError(_LONE.format("key"))
    if files.certificate:
        shown = _text(files.certificate, _PAIR, certificate)
        if "-----BEGIN CERTIFICATE-----" not in shown:
            raise ConfigError(
                f"{_PAIR}: {_NO_PEM.format('certificate')} ({certificate})"
            )
        if "-----BEGIN" not in (shown := _text(files.key, _PAIR, key)):
            raise ConfigError(f"{_PAIR}: {_NO_PEM.format('key')} ({key})")
        if "ENCRYPTED" in shown:
            text = "the key is encrypted; decrypt it with `openssl pkey`"
            raise ConfigError(f"{_PAIR}: {text} ({key})")
    if files.ca and "-----BEGIN" not in _text(files.ca, _CA, ca):
        text = f"open {files.ca}: contains no certificates in PEM format"
        raise ConfigError(f"{_CA}: {text} ({ca})")


def _text(path: str, problem: str, setting: str) -> str:
    """The content of a file.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - Path("") would be the current folder
        if stat.S_ISDIR(found.st_mode):
            reason = "is a directory"
        elif not stat.S_ISREG(found.st_mode) or found.st_size > _SIZE_BYTES:
            reason = "is not a file of certificates"
        else:
            return Path(path).read_text("latin-1")
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", "") or "invalid path").lower()
    raise ConfigError(f"{problem}: open {path}: {reason} ({setting})")


def _context(
    files: Certificates,
    *,
    verify: bool,
    more: Path | None = None,
    protocols: Sequence[str] = ("http/1.1",),
) -> ssl.SSLContext:
    """An SSL context for the files.

    Raises:
        ConfigError: the files do not fit together, or have invalid content.
        OSError: `more` cannot be read.
    """
    if verify:
        context = _trusting(files)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if files.certificate:
        _load_pair(context, files)
    if more is not None:
        context.load_verify_locations(more)
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def _trusting(files: Certificates) -> ssl.SSLContext:
    """A context that trusts only the service's authorities, or else the system's."""
    try:
        return ssl.create_default_context(cafile=files.ca or None)
    except OSError:
        text = f"open {files.ca}: contains no certificates in PEM format"
        raise ConfigError(f"{_CA}: {text} ({files.settings[0]})") from None


def _load_pair(context: ssl.SSLContext, files: Certificates) -> None:
    _, certificate, key = files.settings
    try:
        # without a password OpenSSL would prompt at the terminal
        context.load_cert_chain(files.certificate, files.key, password="")
    except ssl.SSLError as error:
        reason = (
            "tls: private key does not match public key"
            if error.reason == "KEY_VALUES_MISMATCH"
            else "a file is damaged"
        )
        raise ConfigError(f"{_PAIR}: {reason} ({certificate}, {key})") from None
    except OSError as error:
        reason = str(error.strerror).lower()
        raise ConfigError(f"{_PAIR}: {reason} ({certificate}, {key})") from None
