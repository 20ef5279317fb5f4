"""Parts of the server that depend only on its configuration."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

from runtime.delivery import Backlog, Dispatcher, RetryPolicy
from runtime.errors import ConfigError, KapacitorError
from runtime.outbound.client import TimeLimits
from runtime.server.config.config import Config
from runtime.server.config.sections import HttpConfig
from runtime.services.alert.policy import Policy
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.services.httpd.service import HttpServer
from runtime.services.httpd.sites import Sites, is_host
from runtime.store.database import Store
from runtime.units import SECOND, Clock
from runtime.version import VERSION

_SQLITE = b"SQLite format 3\0"


def time_limits(config: DeliveryConfig) -> TimeLimits:
    """The time limits of requests to endpoints."""
    return TimeLimits(config.connect_timeout / SECOND, config.timeout / SECOND)


def retry_policy(config: DeliveryConfig) -> RetryPolicy:
    """The retry policy of deliveries."""
    return RetryPolicy(
        base_s=config.retry_base / SECOND,
        cap_s=config.retry_max / SECOND,
        retry_after_cap_s=config.max_retry_after / SECOND,
        max_age_ns=config.max_age,
        probe_s=config.probe_interval / SECOND,
        auth_probe_s=config.auth_probe_interval / SECOND,
        concurrency=config.concurrency,
        rate=config.rate,
    )


def backlog(store: Store, config: Config, clock: Clock) -> Backlog:
    """Build the backlog of events for handlers."""
    delivery = config.delivery
    return Backlog(
        store,
        buffer_size=config.alert.buffer_length,
        quota=delivery.max_pending,
        quota_bytes=delivery.max_database_size,
        policy=retry_policy(delivery),
        clock=clock,
    )


def dispatcher(backlog: Backlog, config: Config) -> Dispatcher:
    """Build the delivery of a backlog to handlers."""
    delivery = config.delivery
    return Dispatcher(
        backlog,
        # a handler may send more than one request for an event
        time_limit_s=2 * delivery.timeout / SECOND,
        retention=delivery.retention,
        max_ended=delivery.max_dead,
    )


def policy(config: Config) -> Policy:
    """The policy for definitions by clients of the API."""
    return Policy(
        is_open=config.is_guarded,
        log_paths=config.alert.allowed_log_paths,
        programs=config.alert.allowed_programs,
        tcp_addresses=config.alert.allowed_tcp_addresses,
        secret_files=config.alert.allowed_secret_files,
    )


def sites(config: Config) -> Sites:
    """Hosts and origins that may send requests."""
    host, _ = config.http.address()
    names = [host, config.hostname, socket.gethostname(), *config.http.allowed_hosts]
    # host names that InfluxDB writes to
    names += [each.kapacitor_hostname for each in config.influxdb]
    return Sites(
        filter(is_host, names),
        config.http.allowed_origins,
        # with users, any name is safe and needs no setting: a page behind a foreign
        # name has no credentials
        any_host=config.requires_users and not config.http.allowed_hosts,
    )


def http_service(config: HttpConfig, sites: Sites) -> HttpServer:
    """The API's server.

    Args:
        config: section of the configuration.
        sites: hosts and origins that are served.

    Raises:
        KapacitorError: its certificate cannot be used.
    """
    host, port = config.address()
    tls = None
    if config.https_enabled:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(
                config.https_certificate, config.https_private_key or None
            )
        except OSError as error:
            # ssl.SSLError is an OSError whose text says more than its `strerror`
            reason = str(error) if isinstance(error, ssl.SSLError) else error.strerror
            raise KapacitorError(
                f"http: failed to load https-certificate "
                f"{config.https_certificate}: {reason}"
            ) from error
    return HttpServer(
        host,
        port,
        version=VERSION,
        log_enabled=config.log_enabled,
        shutdown_timeout_s=config.shutdown_timeout / SECOND,
        read_timeout_s=config.read_timeout / SECOND,
        sites=sites,
        tls=tls,
    )


def store(path: Path) -> Store:
    """The database.

    Raises:
        KapacitorError: the file is not a database of this server, or cannot be used.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_SQLITE))
    except FileNotFoundError:
        start = b""
    except OSError as error:
        raise ConfigError(f"storage: open {path}: {error.strerror}") from error
    if start and start != _SQLITE:
        raise ConfigError(
            f"storage: {path} is not a database of this server (perhaps Kapacitor's "
            "own, which it cannot read); set 'boltdb' to another path"
        )
    return Store(path)


def bind_fault(error: OSError) -> str:
    """The reason why an address cannot be used, without asyncio's own wording."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error.strerror or error)
