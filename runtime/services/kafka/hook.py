"""Sends messages to Kafka with aiokafka."""

from __future__ import annotations

import logging
import os
import random
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runtime.errors import ConfigError, DeliveryError
from runtime.golang.quoting import quote
from runtime.golang.utf8 import scrub
from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.network import Network
from runtime.services.hooks import required
from runtime.services.kafka import tokens
from runtime.services.kafka.config import Config
from runtime.services.kafka.hashes import fnv_1a, murmur2, murmur3
from runtime.units import MILLISECOND

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

_LIBRARY = "aiokafka"
_TIMEOUT_MS = 10_000
_PORT = 9092
# for other names, the library would ask for the partitions again and again
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_OAUTH = "OAUTHBEARER"
_KERBEROS = "GSSAPI"
_SERVICE = "kafka"
# an address as the library prints it: ('10.0.0.1', 9092, <AddressFamily.AF_INET: 2>)
_ADDRESS = re.compile(r"\('([^']*)', (\d+), <[^>]*>\)")


def validate(config: Config) -> None:
    """Check the settings that the library would check only on connecting.

    Raises:
        ModuleNotFoundError: the library is missing.
        ConfigError: a broker has no valid address, or a setting of the login is missing.
    """
    required(_LIBRARY)
    for each in config.brokers:
        _place(each)
    if config.sasl_mechanism == _OAUTH:
        tokens.check(config)
    if config.sasl_mechanism == _KERBEROS:
        _check_kerberos(config)


def _check_kerberos(config: Config) -> None:
    """Check that Kerberos can be used, and that it will read the configured files.

    Its libraries find them by environment variables, which must be set before the
    start.

    Raises:
        ConfigError: its library is missing, or an environment variable has another
            path.
    """
    try:
        required("gssapi")
    except ModuleNotFoundError:
        raise ConfigError(
            "GSSAPI needs the library gssapi: install the Kerberos libraries of the "
            "system, then pip install gssapi"
        ) from None
    for setting, path, variable in (
        ("kerberos-config", config.sasl_gssapi_kerberos_config_path, "KRB5_CONFIG"),
        ("key-tab", config.sasl_gssapi_key_tab_path, "KRB5_CLIENT_KTNAME"),
    ):
        used = os.environ.get(variable, "").removeprefix("FILE:")
        if path and path != used:
            raise ConfigError(
                f"sasl-gssapi-{setting}-path needs the environment variable "
                f"{variable}={path}, where Kerberos reads it; start the server with it"
            )


async def open(config: Config, network: Network) -> AIOKafkaProducer:
    """Return a producer that is connected to a cluster.

    Raises:
        ModuleNotFoundError: the library is missing.
        DeliveryError: no broker answers, the login is refused, or the token service
            gives no token.
        DeniedAddressError: a broker's address is denied.
    """
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    # the library logs each of its attempts; the delivery reports the error
    logging.getLogger(_LIBRARY).setLevel(logging.CRITICAL)
    await _check_addresses(config, network)
    is_secured = bool(config.sasl_username or config.sasl_mechanism)
    provider = None
    if config.sasl_mechanism == _OAUTH:
        provider = _token_provider(config, network)
        # the library does not report the reason if there is no token
        await provider.first()
    producer = AIOKafkaProducer(
        bootstrap_servers=["{}:{}".format(*_place(each)) for each in config.brokers],
        client_id=config.id,
        request_timeout_ms=config.timeout // MILLISECOND or _TIMEOUT_MS,
        security_protocol=(
            f"{'SASL_' if is_secured else ''}{'SSL' if config.use_ssl else 'PLAINTEXT'}"
        ),
        ssl_context=(
            await network.tls(verify=not config.insecure_skip_verify)
            if config.use_ssl
            else None
        ),
        sasl_mechanism=config.sasl_mechanism or "PLAIN",
        sasl_plain_username=config.sasl_username or None,
        sasl_plain_password=config.sasl_password.reveal() or None,
        sasl_kerberos_service_name=config.sasl_gssapi_service_name or _SERVICE,
        sasl_oauth_token_provider=provider,
    )
    try:
        await producer.start()
    # any error: the background tasks of the producer are running already
    except BaseException as error:
        await producer.stop()
        if isinstance(error, KafkaError):
            raise _failure(error) from None
        raise
    return producer


async def close(client: AIOKafkaProducer) -> None:
    """Finish sending, and disconnect."""
    await client.stop()


async def send(client: AIOKafkaProducer, data: Mapping[str, Any]) -> None:
    """Send one message, and wait until the leader of its partition has it.

    Raises:
        DeliveryError: the cluster does not accept the message.
    """
    from aiokafka.errors import KafkaError

    topic = data["topic"]
    if not _TOPIC.fullmatch(topic) or topic in (".", ".."):
        raise DeliveryError(f"invalid topic {quote(topic)}")
    key, value = (scrub(data[each]).encode() for each in ("key", "value"))
    try:
        partitions = sorted(await client.partitions_for(topic))
        await client.send_and_wait(
            topic, value, key=key, partition=chosen(partitions, key, data["hash"])
        )
    except KafkaError as error:
        raise _failure(error) from None


def chosen(partitions: Sequence[int], key: bytes, algorithm: str) -> int:
    """The partition of a message.

    Args:
        partitions: the numbers of all partitions, in order.
        key: the key of the message.
        algorithm: hash of the key: `crc32`, `murmur2`, `murmur3` or `fnv-1a`; "" for any
            partition.

    Source: Kapacitor services/kafka, hash.go; sarama, hashPartitioner.
    """
    if not algorithm or (algorithm == "crc32" and not key):
        return random.choice(partitions)
    return partitions[_HASHES[algorithm](key) % len(partitions)]


def _absolute(number: int) -> int:
    """A 32-bit hash as in sarama, which removes the sign that the hash has in Go."""
    return number if number < 2**31 else 2**32 - number


_HASHES: Mapping[str, Callable[[bytes], int]] = {
    "crc32": zlib.crc32,
    "murmur2": lambda key: murmur2(key) & 0x7FFFFFFF,
    "murmur3": lambda key: _absolute(murmur3(key)),
    "fnv-1a": lambda key: _absolute(fnv_1a(key)),
}


async def _check_addresses(config: Config, network: Network) -> None:
    """Refuse brokers at denied addresses, as the library looks up names itself."""
    for each in config.brokers:
        try:
            await network.addresses(_place(each)[0])
        except DeniedAddressError:
            raise
        except OSError:
            # another broker may answer
            continue


def _place(address: str) -> tuple[str, int]:
    """Host and port of a broker.

    Raises:
        ConfigError: the address is invalid.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "]" in port:
        host, port = address, str(_PORT)
    is_number = port.isascii() and port.isdigit() and len(port) <= len("65535")
    if not host or not is_number or int(port) > 65535:
        raise ConfigError(f"invalid broker {quote(address)}: it must be HOST:PORT")
    return host, int(port)


def _token_provider(config: Config, network: Network) -> Any:
    """The source of tokens for a login with tokens."""
    from aiokafka.abc import AbstractTokenProvider
    from aiokafka.errors import KafkaConnectionError

    class Provider(AbstractTokenProvider):  # type: ignore[misc] # it has no types
        def __init__(self) -> None:
            self._source = _token_source(config, network)

        async def first(self) -> None:
            """Get a token, or raise the error of the source."""
            await self._source()

        async def token(self) -> str:
            try:
                return await self._source()
            except DeliveryError as error:
                # other errors would end the library's own tasks
                raise KafkaConnectionError(str(error)) from None

        def extensions(self) -> dict[str, str]:
            return dict(config.sasl_extensions)

    return Provider()


def _token_source(config: Config, network: Network) -> Callable[[], Awaitable[str]]:
    """Return a function that returns a currently valid token."""
    if token := config.sasl_access_token:

        async def configured() -> str:
            return token.reveal()

        return configured
    return tokens.TokenService(config, network.http).token


def _failure(error: Exception) -> DeliveryError:
    """Convert an error of the library to an error of a delivery."""
    from aiokafka import errors

    # errors that are final for the library only because it has retried long enough
    may_pass = (
        errors.KafkaConnectionError,
        errors.KafkaTimeoutError,
        errors.ProducerClosed,
        errors.RequestTimedOutError,
    )
    retry = isinstance(error, may_pass) or bool(getattr(error, "retriable", False))
    may_have_come = isinstance(
        error, errors.KafkaTimeoutError | errors.RequestTimedOutError
    )
    text = _ADDRESS.sub(r"\1:\2", str(error))
    return DeliveryError(
        f"kafka client error: {text}", retry=retry, maybe_duplicate=may_have_come
    )
