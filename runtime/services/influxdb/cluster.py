"""One cluster of InfluxDB, for writing points and running statements."""

from __future__ import annotations

import base64
import contextlib
import re
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

from runtime.errors import DeliveryError
from runtime.outbound.client import Request, Response
from runtime.outbound.identity import Identity
from runtime.secrets import NO_SECRET, Secret, hidden, redact, secrets_in
from runtime.services.auth.tokens import signed
from runtime.services.influxdb import series
from runtime.services.influxdb.config import Config
from runtime.services.influxdb.series import Series
from runtime.units import MINUTE, SECOND

if TYPE_CHECKING:
    from runtime.outbound.client import Streamed

# Without a `timeout`, the time limit of each part of an answer.
IDLE_S = 300.0
# One row may be long, but a document of thousands of rows is limited.
DOCUMENT_BYTES = 64 << 20
# Points are repetitive, so the fastest compression is nearly the best.
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS
# the query in the URL of an error, which has only masked values
_MASKED = re.compile(r'^(\w+ "[^"?]*)\?[^"]*')
# Each request has a token of its own.
_TOKEN_LIFE = MINUTE


class StreamingClient(Protocol):
    """Sends requests, and reads long answers as they arrive."""

    async def send(self, request: Request) -> Response:
        """Send `request` and read the answer.

        Raises:
            DeliveryError: there was no answer.
        """

    def streamed(
        self, request: Request, *, idle_s: float
    ) -> contextlib.AbstractAsyncContextManager[Streamed]:
        """Send `request`, and read the answer part by part.

        Raises:
            DeliveryError: there was no answer.
        """

    async def close(self) -> None:
        """Close all connections."""


class Access(NamedTuple):
    """Connection settings of a cluster.

    Attributes:
        config: its configuration.
        identity: certificates in its files, or None if there are none.
        secrets: all secrets, which errors must not contain.
    """

    config: Config
    identity: Identity | None
    secrets: Sequence[Secret]

    @classmethod
    def of(cls, config: Config) -> Access:
        """The connection settings of a configuration.

        Raises:
            ConfigError: a file of certificates cannot be used.
        """
        files = config.certificates
        identity = Identity(files) if any(files[:3]) else None
        # passwords in URLs are secrets, too
        return cls(
            config, identity, [*secrets_in(config), *map(_password, config.urls)]
        )


class Cluster:
    """A cluster that is written to and queried, for the event loop only.

    A request goes to the URL that answered last. If the server there is unreachable or
    out of order, the next URL is tried. Errors contain no secrets.
    """

    def __init__(
        self,
        config: Config,
        client: StreamingClient,
        shared_secret: Secret = NO_SECRET,
    ) -> None:
        """Create a cluster.

        Args:
            config: valid configuration.
            client: sends the requests of this cluster only.
            shared_secret: secret that signs tokens, if the configuration uses it.

        Raises:
            ConfigError: a file of certificates cannot be used.
        """
        self._client = client
        self._shared_secret = shared_secret
        self.use(Access.of(config))

    def use(self, access: Access) -> None:
        """Use other connection settings for further requests."""
        self._access = access
        self._first = 0

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._access.config

    @property
    def name(self) -> str:
        """The cluster's name in the configuration."""
        return self.config.name

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def ping(self) -> None:
        """Check that one of the servers is up.

        Raises:
            DeliveryError: no server answers.
        """
        await self._sent("GET", "ping", {}, accepted=(200, 204))

    async def write(
        self,
        body: bytes,
        *,
        database: str,
        retention_policy: str = "",
        precision: str = "n",
        consistency: str = "",
    ) -> None:
        """Write points.

        Args:
            body: line protocol, uncompressed.
            database: database of the points.
            retention_policy: retention policy; "" for the database's default.
            precision: unit of the times: `n`, `u`, `ms`, `s`, `m` or `h`.
            consistency: `any`, `one`, `quorum` or `all`; "" for the server's default.

        Raises:
            DeliveryError: the points were not, or not all, written.
        """
        query = {
            "db": database,
            "rp": retention_policy,
            "precision": precision,
            "consistency": consistency,
        }
        headers = {"Content-Type": "application/octet-stream"}
        if self.config.compression == "gzip":
            headers["Content-Encoding"] = "gzip"
            body = _compressed(body)
        await self._sent("POST", "write", query, body, headers, accepted=(200, 204))

    async def execute(self, statement: str, *, database: str = "") -> Sequence[Series]:
        """Run a statement with a short answer: `SHOW …`, `CREATE …`.

        It is sent as the body, as it may contain secrets.

        Raises:
            DeliveryError: the statement failed.
        """
        query = {"db": database, "epoch": "ns", "chunked": "true"}
        body = urlencode({"q": statement}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return [each async for each in self._answer(query, body, headers)]

    async def query(
        self,
        statement: str,
        *,
        database: str = "",
        retention_policy: str = "",
        chunk_rows: int = 10_000,
    ) -> AsyncGenerator[Series]:
        """Run a query; its answer is read as a stream.

        A series with more rows comes in several parts; all except the last are
        `partial`. Close the iterator (`contextlib.aclosing`) unless it is read to its
        end.

        Args:
            statement: InfluxQL.
            database: database of measurements without one.
            retention_policy: retention policy of measurements without one.
            chunk_rows: maximum number of rows in a part.

        Raises:
            DeliveryError: the query failed, perhaps after some parts.
        """
        query = {
            "q": statement,
            "db": database,
            "rp": retention_policy,
            "epoch": "ns",
            "chunked": "true",
            "chunk_size": str(chunk_rows),
        }
        async with contextlib.aclosing(self._answer(query, b"", {})) as answer:
            async for each in answer:
                yield each

    async def _answer(
        self, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator[Series]:
        """The series of an answer, from the first server that answers."""
        failure: DeliveryError | None = None
        for at in self._order():
            request = self._request(at, "POST", "query", query, body, headers)
            is_begun = False
            try:
                async with self._client.streamed(request, idle_s=IDLE_S) as answer:
                    if answer.status != 200:
                        raise _refusal(await answer.response())
                    self._first, is_begun = at, True
                    async for document in _documents(answer):
                        for each in series.decoded(document):
                            yield each
                return
            except DeliveryError as error:
                failure = self._redacted(error)
                if is_begun or not _is_elsewhere(error):
                    raise failure from None
        assert failure is not None
        raise failure

    async def _sent(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        accepted: Sequence[int],
    ) -> None:
        """Send a request to the servers in turn, until one answers."""
        failure: DeliveryError | None = None
        for at in self._order():
            request = self._request(at, method, path, query, body, headers or {})
            try:
                answer = await self._client.send(request)
                if answer.status not in accepted:
                    raise _refusal(answer)
                self._first = at
                return
            except DeliveryError as error:
                failure = self._redacted(error)
                if not _is_elsewhere(error):
                    self._first = at
                    raise failure from None
        assert failure is not None
        raise failure

    def _order(self) -> Sequence[int]:
        """The indexes of the URLs in the order in which to try them."""
        count = len(self.config.urls)
        return [(self._first + step) % count for step in range(count)]

    def _request(
        self,
        at: int,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes,
        headers: Mapping[str, str],
    ) -> Request:
        config = self.config
        parameters = {key: value for key, value in query.items() if value}
        return Request(
            method,
            _below(config.urls[at], path, parameters),
            {**self._authorization(), **headers},
            body,
            verify=not config.insecure_skip_verify,
            limit_s=config.timeout / SECOND or None,
            identity=self._access.identity,
        )

    def _authorization(self) -> dict[str, str]:
        """The header with a token, or with user and password.

        Source: Kapacitor services/influxdb/service.go, httpConfig.
        """
        config = self.config
        if config.token:
            return {"Authorization": f"Token {config.token.reveal()}"}
        if config.http_shared_secret and self._shared_secret:
            ends = time.time_ns() + _TOKEN_LIFE
            token = signed(config.username, self._shared_secret, ends)
            return {"Authorization": f"Bearer {token}"}
        if config.username:
            pair = f"{config.username}:{config.password.reveal()}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}

    def _redacted(self, error: DeliveryError) -> DeliveryError:
        """The error without secrets, as an answer might repeat them."""
        text = _MASKED.sub(r"\1", str(error))
        return error.replace(hidden(redact(text, self._access.secrets)))


def _password(url: str) -> Secret:
    """The password in a URL."""
    return Secret(urlsplit(url).password or "")


def _below(url: str, path: str, query: Mapping[str, str]) -> str:
    """The URL of an endpoint: `http://h:8086/` → `http://h:8086/write?db=…`."""
    parts = urlsplit(url)
    below = f"{parts.path.rstrip('/')}/{path}"
    return urlunsplit((parts.scheme, parts.netloc, below, urlencode(query), ""))


def _compressed(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    return packer.compress(body) + packer.flush()


async def _documents(answer: Streamed) -> AsyncIterator[bytes | bytearray]:
    """The JSON documents of a chunked answer, one per line."""
    rest = bytearray()
    async for part in answer.parts():
        first, *more = part.split(b"\n")
        rest += first
        if len(rest) > DOCUMENT_BYTES:
            text = f"a part of InfluxDB's answer is larger than {DOCUMENT_BYTES} bytes"
            raise DeliveryError(text)
        for line in more:
            if rest:
                yield rest
            rest = bytearray(line)
    if rest.strip():
        yield rest


def _refusal(answer: Response) -> DeliveryError:
    """The error for an unsuccessful answer, in InfluxDB's words.

    Source: Kapacitor influxdb/client.go, HTTPClient.do.
    """
    found = answer.json
    text = found.get("error") if isinstance(found, dict) else None
    if not isinstance(text, str) or not text:
        text = f"invalid response: code {answer.status}"
    return answer.error(text)


def _is_elsewhere(error: DeliveryError) -> bool:
    """True if another server of the cluster may be able to answer."""
    return error.status is None or error.status in (502, 503, 504)
