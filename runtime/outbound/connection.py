"""Settings of the connections to one endpoint."""

from __future__ import annotations

from typing import NamedTuple

from runtime.units import Duration


class Connection(NamedTuple):
    """Settings of a request's connection.

    Attributes:
        verify: True to require a trusted certificate.
        limit: time limit of the whole request; 0 for the client's own limit.
        proxy: URL of an HTTP proxy, perhaps with user and password; "" for none.
    """

    verify: bool = True
    limit: Duration = Duration(0)
    proxy: str = ""


class Certificates(NamedTuple):
    """Files of certificates in PEM form; "" for none.

    Attributes:
        ca: authorities that are trusted instead of the system's.
        certificate: certificate of the client.
        key: private key of that certificate.
        settings: names of the settings of the three, for errors.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""
    settings: tuple[str, str, str] = ("ssl-ca", "ssl-cert", "ssl-key")


NO_CERTIFICATES = Certificates()
