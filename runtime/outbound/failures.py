"""Failures between the server and an endpoint, in Go's words."""

from __future__ import annotations

import os
import ssl
from http import HTTPStatus

import aiohttp

from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.dialing import LookupTimeoutError

# OpenSSL's error codes for versions before TLS 1.2
_OLD_VERSIONS = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION")


def may_have_come(error: Exception) -> bool:
    """True if the endpoint may have received the request before `error`."""
    return not isinstance(
        error,
        aiohttp.ClientConnectorError
        | aiohttp.ClientHttpProxyError
        | aiohttp.InvalidURL
        | DeniedAddressError
        | ValueError,
    )


def reason_of(error: Exception) -> tuple[str, bool]:
    """Go's text for an error, and whether a retry may succeed."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"tls: failed to verify certificate{_untrusted(error)}", False
        case aiohttp.ClientConnectorSSLError(os_error=ssl.SSLError() as refused):
            if refused.reason in _OLD_VERSIONS:
                return "tls: protocol version not supported", False
            return "tls: handshake failure", True
        case DeniedAddressError() as denied:
            return f"dial tcp: {denied}", False
        case aiohttp.ClientConnectorError(os_error=DeniedAddressError() as denied):
            return f"dial tcp: {denied}", False
        case aiohttp.ClientProxyConnectionError():
            return f"proxyconnect tcp: {_dial(error)}", True
        case aiohttp.ClientHttpProxyError():
            return _phrase(error.status), True
        case aiohttp.ClientConnectorDNSError(os_error=LookupTimeoutError() as late):
            return f"dial tcp: {late}", True
        case aiohttp.ClientConnectorDNSError():
            return f"dial tcp: lookup {error.host}: no such host", True
        case aiohttp.ClientConnectorError():
            return _dial(error), True
        case aiohttp.ServerDisconnectedError():
            return "EOF", True
        case aiohttp.ClientPayloadError():
            return "unexpected EOF", True
        case aiohttp.ClientResponseError():
            return "net/http: malformed HTTP response", True
        case aiohttp.InvalidURL() | ValueError():
            return "invalid URL", False
        case OSError() if error.errno is not None:
            return os.strerror(error.errno).lower(), True
        case _:
            return f"connection failed ({type(error).__name__})", True


def _phrase(status: int) -> str:
    """The usual words for a status, as those of a proxy may be anything."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"unexpected status {status} of the proxy"


def _untrusted(error: aiohttp.ClientConnectorCertificateError) -> str:
    """The problem with a certificate."""
    reason = getattr(error.certificate_error, "verify_message", "")
    return f": x509: {reason}" if reason else ""


def _dial(error: aiohttp.ClientConnectorError) -> str:
    host = f"[{error.host}]" if ":" in error.host else error.host
    code = error.os_error.errno
    reason = os.strerror(code).lower() if code else "connection failed"
    return f"dial tcp {host}:{error.port}: connect: {reason}"
