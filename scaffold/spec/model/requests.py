"""Requests of a handler, the reading of their responses, and their connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from scaffold.expressions.code import Code


class Parameter(NamedTuple):
    """A value of a query or a header.

    Attributes:
        code: its expression.
        is_optional: true if it is omitted when empty.
        is_merged: true for a map whose entries are parameters.
    """

    code: Code
    is_optional: bool = False
    is_merged: bool = False


class Loop(NamedTuple):
    """The recipients of a request.

    Attributes:
        variables: the variable with one of them, or those with its key and value.
        items: all of them.
    """

    variables: tuple[str, ...]
    items: Code


@dataclass(frozen=True)
class RequestSpec:
    """One request; the first without a name whose condition holds delivers.

    Attributes:
        when: its condition, or None.
        method: `POST`, …
        url: destination, without `path` and `query`.
        path: suffix of the path of `url`.
        has_slashes: true if `path` is one string whose slashes separate segments.
        has_last_slash: true if such a string ends with a slash.
        query: parameters that replace those of `url`; None keeps them.
        headers: headers besides the content type.
        scheme: scheme of the `Authorization` header, or "".
        token: token after the scheme, or None.
        is_optional: true if the header is omitted when the token is empty.
        basic: user and password, or None.
        body_kind: `json`, `form`, `text`, `data` or "".
        body: expression of the body, or None.
        is_sorted: true if the keys of JSON are sorted.
        has_newline: true if the JSON ends with a newline.
        to: address of a TCP server, or None for HTTP; `url` begins with `tcp://` then.
        name: variable with the answer of a step; "" for a request that delivers.
        key: name of the step in the spec, or "".
        keep: time for which deliveries share its answer, in ns; 0: not shared.
        is_login: true if its answer is a credential of a later request.
        accepted: a body that the fake server answers it with, or "".
        loop: the recipients, of which each gets the request; None for one request.
        that: condition for success of a step besides the status, or None.
    """

    when: Code | None
    method: str
    url: Code
    path: tuple[Code, ...] = ()
    has_slashes: bool = False
    has_last_slash: bool = False
    query: Mapping[str, Parameter] | None = None
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    scheme: str = ""
    token: Code | None = None
    is_optional: bool = False
    basic: tuple[Code, Code] | None = None
    body_kind: str = ""
    body: Code | None = None
    is_sorted: bool = False
    has_newline: bool = False
    to: Code | None = None
    name: str = ""
    key: str = ""
    keep: int = 0
    is_login: bool = False
    accepted: str = ""
    loop: Loop | None = None
    that: Code | None = None

    def credentials(self) -> list[Code]:
        """The code of the credentials of a request."""
        headers = [each.code for each in self.headers.values()]
        return [*headers, *(self.basic or ()), *([self.token] if self.token else [])]

    def codes(self) -> list[Code]:
        """All code of the request."""
        parameters = (*self.headers.values(), *(self.query or {}).values())
        codes = [self.url, *self.path, *(each.code for each in parameters)]
        codes += [*(self.basic or ()), *([self.loop.items] if self.loop else [])]
        return codes + [each for each in (self.when, self.token, self.body) if each]


@dataclass(frozen=True)
class ResponseSpec:
    """Rules for reading a response.

    Attributes:
        ok: the statuses that mean success; empty: 200 to 299.
        that: condition for success besides the status, or None.
        error: path of the error text in the JSON of the response.
        message: error text of a failure, or None.
        unparsable: error text of responses that are not JSON, or None.
        accepted: a body that means success, for the fake server.
        retry: condition for another attempt, or None.
        expired: condition for a new login, or None.
        wait: the time to wait for it, in seconds, or None.
    """

    ok: tuple[int, ...] = ()
    that: Code | None = None
    error: str = "error"
    message: Code | None = None
    unparsable: Code | None = None
    accepted: str = ""
    retry: Code | None = None
    expired: Code | None = None
    wait: Code | None = None


@dataclass(frozen=True)
class ConnectionSpec:
    """The connections of all requests; None where nothing is given.

    Attributes:
        ca: file of authorities.
        certificate: file of the client's certificate.
        key: file of its private key.
        verify: true if the endpoint's certificate must be trusted.
        limit: time limit of a request.
        proxy: URL of a proxy.
    """

    ca: Code | None = None
    certificate: Code | None = None
    key: Code | None = None
    verify: Code | None = None
    limit: Code | None = None
    proxy: Code | None = None

    def files(self) -> dict[str, Code]:
        """The files, which are read when the configuration changes."""
        named = {"ca": self.ca, "certificate": self.certificate, "key": self.key}
        return {name: code for name, code in named.items() if code is not None}

    def settings(self) -> dict[str, Code]:
        """The settings that may differ from request to request."""
        named = {"verify": self.verify, "limit": self.limit, "proxy": self.proxy}
        return {name: code for name, code in named.items() if code is not None}

    def codes(self) -> list[Code]:
        """All code of the connections."""
        return [*self.files().values(), *self.settings().values()]


NO_CONNECTION = ConnectionSpec()
