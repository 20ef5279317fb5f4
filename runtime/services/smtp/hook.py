"""Sends email with aiosmtplib, over a connection that is kept for some time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import quopri
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Any

from runtime.errors import DeliveryError
from runtime.golang.addresses import EmailAddress, parse_address
from runtime.golang.utf8 import scrub
from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.network import Network
from runtime.services.hooks import required
from runtime.services.smtp.config import Config
from runtime.units import SECOND

if TYPE_CHECKING:
    from aiosmtplib import SMTP

_LIBRARY = "aiosmtplib"
# the name by which Go's client introduces itself
_OWN_NAME = "localhost"
_LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
_QUIT_S = 5.0
_UNAVAILABLE = 421
_PERMANENT = 500
_WORD = 900  # characters; a line of a message has at most 998
_LINE_END = re.compile(r"\r\n?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def validate(config: Config) -> None:
    """Check that the library is installed.

    Raises:
        ModuleNotFoundError: the library is missing.
    """
    required(_LIBRARY)


async def open(config: Config, network: Network) -> Mailer:
    """Return a mailer, which connects for its first message.

    Raises:
        ModuleNotFoundError: the library is missing.
    """
    required(_LIBRARY)
    return Mailer(config, network)


async def close(client: Mailer) -> None:
    """Close the connection."""
    await client.close()


async def send(client: Mailer, data: Mapping[str, Any]) -> None:
    """Send one message.

    Raises:
        DeliveryError: the server refuses it, or cannot be connected to.
        OSError: the connection failed.
    """
    await client.send(data["from"], data["to"], composed(data))


def composed(data: Mapping[str, Any]) -> bytes:
    """The message for `data`, with the header fields and the body."""
    sender = parse_address(data["from"])
    recipients = [parse_address(each) for each in data["to"]]
    # the same ID for each attempt, so that servers recognize duplicates
    domain = _ascii_domain(sender).rpartition("@")[2]
    fields = {
        "From": _field(sender),
        "To": ",\r\n ".join(map(_field, recipients)),
        "Subject": _subject(data["subject"]),
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": f"<{data['key']}@{domain}>",
        "Mime-Version": "1.0",
        "Content-Type": "text/html; charset=UTF-8",
        "Content-Transfer-Encoding": "quoted-printable",
    }
    # not email.message, which parses addresses again and fails for some valid ones
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    lines = _LINE_END.sub("\n", scrub(data["html"])).encode()
    body = quopri.encodestring(lines).replace(b"\n", b"\r\n")
    ending = b"" if body.endswith(b"\r\n") else b"\r\n"
    return head.encode() + b"\r\n" + body + ending


class Mailer:
    """Sends messages one after another to one server.

    The connection is opened for the first message, and closed when no message was sent
    for the configured time.
    """

    def __init__(self, config: Config, network: Network) -> None:
        self._config = config
        self._network = network
        self._connection: SMTP | None = None
        self._idle: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Close the connection."""
        async with self._turn:
            self._stop_waiting()
            await self._quit()

    async def send(self, sender: str, recipients: Sequence[str], body: bytes) -> None:
        """Send a message.

        If the server refuses a recipient for now, the message is delayed for all
        recipients, as a later attempt would send it to the others twice.

        Raises:
            DeliveryError: the server refuses the message or a recipient.
            OSError: the connection failed.
        """
        async with self._turn:
            self._stop_waiting()
            try:
                with _answers():
                    await self._sent(sender, recipients, body)
            except DeliveryError:
                await self._reset()
                raise
            except BaseException:
                # a late answer would be mistaken for that to the next command
                self._drop()
                raise
            finally:
                self._wait()

    async def _sent(self, sender: str, recipients: Sequence[str], body: bytes) -> None:
        places = [_ascii_domain(parse_address(each)) for each in recipients]
        connection = await self._begun(_ascii_domain(parse_address(sender)), places)
        refused = await _refused(connection, places)
        if len(refused) == len(recipients) or any(each.retry for each in refused):
            raise DeliveryError(
                _joined(refused), retry=any(each.retry for each in refused)
            )
        await connection.data(body)
        if refused:
            raise DeliveryError(f"sent, but not to all recipients: {_joined(refused)}")

    async def _begun(self, sender: str, recipients: Sequence[str]) -> SMTP:
        """A connection with a new message for these recipients."""
        from aiosmtplib import SMTPSenderRefused, SMTPServerDisconnected

        kept = self._connection
        connection = await self._connected()
        try:
            await _begin(connection, sender, recipients)
        except (SMTPServerDisconnected, SMTPSenderRefused) as error:
            is_over = getattr(error, "code", _UNAVAILABLE) == _UNAVAILABLE
            if connection is not kept or not is_over:
                raise
            # the server has closed the connection because it was not used
            self._drop()
            connection = await self._connected()
            await _begin(connection, sender, recipients)
        return connection

    async def _connected(self) -> SMTP:
        """The kept connection, or a new one."""
        kept = self._connection
        if kept is not None and kept.is_connected:
            return kept
        from aiosmtplib import SMTP

        config = self._config
        connection = SMTP(
            sock=await self._socket(), local_hostname=_OWN_NAME, start_tls=False
        )
        self._connection = None
        try:
            await self._connect(connection)
            await connection.ehlo()
            if connection.supports_extension("starttls"):
                context = await self._network.tls(verify=not config.no_verify)
                await connection.starttls(
                    tls_context=context, server_hostname=config.host
                )
                await connection.ehlo()
            if config.username and connection.supports_extension("auth"):
                await _log_in(connection, config)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    async def _connect(self, connection: SMTP) -> None:
        """Wait for the greeting of the server."""
        from aiosmtplib import SMTPConnectError, SMTPServerDisconnected

        try:
            await connection.connect()
        except (SMTPConnectError, SMTPServerDisconnected) as error:
            if hasattr(error, "code"):
                raise
            place = f"{self._config.host}:{self._config.port}"
            text = f"{place}: the server closed the connection without a greeting"
            raise DeliveryError(text, retry=True) from None

    async def _socket(self) -> Any:
        host, port = self._config.host, self._config.port
        try:
            return await self._network.connected(host, port)
        except DeniedAddressError:
            raise
        except OSError as error:
            # asyncio's text repeats the address; error codes of lookups are negative
            is_code = error.errno is not None and error.errno > 0
            words = os.strerror(error.errno or 0) if is_code else error.strerror
            reason = (words or str(error) or "connection failed").lower()
            raise DeliveryError(
                f"dial tcp {host}:{port}: {reason}", retry=True
            ) from None

    async def _reset(self) -> None:
        """Cancel the message, or else close the connection."""
        from aiosmtplib import SMTPException

        connection = self._connection
        if connection is None:
            return
        try:
            await connection.rset()
        except (SMTPException, OSError):
            self._drop()

    async def _quit(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        from aiosmtplib import SMTPException

        try:
            await connection.quit(timeout=_QUIT_S)
        except (SMTPException, OSError):
            connection.close()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _wait(self) -> None:
        """Schedule closing the connection."""
        if self._connection is not None:
            self._idle = asyncio.create_task(self._close_unused())

    def _stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    async def _close_unused(self) -> None:
        await asyncio.sleep(self._config.idle_timeout / SECOND)
        async with self._turn:
            self._idle = None
            await self._quit()


async def _begin(connection: SMTP, sender: str, recipients: Sequence[str]) -> None:
    """Start a message."""
    foreign = [each for each in (sender, *recipients) if not each.isascii()]
    if foreign and not connection.supports_extension("smtputf8"):
        text = f"the server does not accept addresses such as {foreign[0]}"
        raise DeliveryError(text)
    options = ["SMTPUTF8"] if foreign else []
    await connection.mail(sender, options=options, encoding="utf-8")


async def _refused(connection: SMTP, recipients: Sequence[str]) -> list[DeliveryError]:
    """The errors of recipients that the server refuses."""
    from aiosmtplib import SMTPRecipientRefused

    refused = []
    for each in recipients:
        try:
            await connection.rcpt(each, encoding="utf-8")
        except SMTPRecipientRefused as error:
            text = f"{each}: {error.code} {error.message}"
            refused.append(DeliveryError(text, retry=error.code < _PERMANENT))
    return refused


async def _log_in(connection: SMTP, config: Config) -> None:
    """Log in with the same methods as Kapacitor."""
    offered = {each.lower() for each in connection.server_auth_methods}
    user, password = config.username, config.password.reveal()
    if "cram-md5" in offered:
        await connection.auth_crammd5(user, password)
    elif "login" in offered and "plain" not in offered:
        await connection.auth_login(user, password)
    elif connection.get_transport_info("sslcontext") or config.host in _LOCAL:
        await connection.auth_plain(user, password)
    else:
        text = "the password is not sent over an unencrypted connection"
        raise DeliveryError(text)


@contextlib.contextmanager
def _answers() -> Iterator[None]:
    """Turn refusals of the server into delivery errors."""
    from aiosmtplib import SMTPException, SMTPResponseException

    try:
        yield
    except SMTPResponseException as error:
        text = f"{error.code} {error.message}"
        raise DeliveryError(text, retry=error.code < _PERMANENT) from None
    except OSError:
        raise
    except SMTPException as error:
        raise DeliveryError(str(error), retry=True) from None


def _joined(errors: Sequence[DeliveryError]) -> str:
    return "; ".join(map(str, errors))


def _subject(text: str) -> str:
    """A text on one line, encoded if mail cannot contain it otherwise."""
    text = _CONTROLS.sub(" ", scrub(text)).strip()
    is_plain = text.isascii() and all(len(each) < _WORD for each in text.split())
    charset = "us-ascii" if is_plain else "utf-8"
    return Header(text, charset, header_name="Subject").encode(linesep="\r\n")


def _field(address: EmailAddress) -> str:
    """An address in the form of header fields."""
    plain = _ascii_domain(address)
    if not address.name:
        return plain
    name = _CONTROLS.sub(" ", address.name)
    if plain.isascii():
        return formataddr((name, plain))
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{plain}>'


def _ascii_domain(address: EmailAddress) -> str:
    """An address whose domain is in ASCII, which all servers understand."""
    local, at, domain = address.address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return address.address
