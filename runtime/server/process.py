"""The server's process: event loop, memory and signals."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import dataclasses
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from runtime.errors import ConfigError, KapacitorError
from runtime.golang.quoting import quote
from runtime.integration import Integrations
from runtime.outbound.addresses import DeniedNetworks
from runtime.server.config.config import Config
from runtime.server.config.effective import load, validate
from runtime.server.flags import UNSUPPORTED, UsageError, listed
from runtime.server.logs import configure
from runtime.server.pid_file import pid_file
from runtime.server.plugins import Found
from runtime.server.process_environment import ProcessEnvironment
from runtime.suggestions import suggestion

log = logging.getLogger("kapacitor.run")

LOGO = r"""
  _                             _ _
 | | ____ _ _ __   __ _  ___(_) |_ ___  _ __
 | |/ / _` | '_ \ / _` |/ __| | __/ _ \| '__|
 |   < (_| | |_) | (_| | (__| | || (_) | |
 |_|\_\__,_| .__/ \__,_|\___|_|\__\___/|_|
           |_|
"""
# from glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
# Keep the memory of one write for the next: memory returned to the system is mapped
# again page by page, which may take a third of the time of a write. By default, glibc
# derives its limits from the first large block that is freed: 128 KB in one start, 32
# MB in another.
_MOST_KEPT_BYTES = 32 << 20
# Memory that only the largest writes need is returned at once.
_LARGE_BYTES = 4 << 20


class _Server(Protocol):
    """The interface of the server, whose module is imported late."""

    async def open(self) -> None:
        """Open its services."""

    async def close(self) -> None:
        """Close its services."""

    async def reload(self) -> None:
        """Reload the load directory."""


def run(
    flags: Mapping[str, str], environment: ProcessEnvironment, found: Found
) -> None:
    """Serve until a signal arrives.

    Raises:
        KapacitorError: the server cannot be started.
    """
    for name in UNSUPPORTED:
        if flags.get(name):
            raise UsageError(f"-{name} is not supported by this server")
    print(LOGO, flush=True)
    loaded = load(flags, environment, found.integrations)
    config = loaded.config
    config.logging = dataclasses.replace(
        config.logging,
        file=flags.get("log-file") or config.logging.file,
        level=flags.get("log-level") or config.logging.level,
    )
    _deny(config, listed(flags, "blacklist-cidrs"))
    try:
        configure(config.logging)
    except ConfigError as error:
        raise ConfigError(f"init logging: {error}") from None
    for plugin in found.plugins:
        extra = {"plugin": str(plugin), "handlers": plugin.handlers}
        log.info("loaded handlers of a plugin", extra=extra)
    for warning in (*found.warnings, *loaded.warnings):
        log.warning(warning)
    disabled = frozenset(listed(flags, "disable-handlers"))
    kinds = found.integrations.kinds
    for kind in sorted(disabled - kinds.keys()):
        # not an error, as in Kapacitor; but alerts that were meant to stop are sent
        near = suggestion(kind, kinds)
        log.warning(f"-disable-handlers: unknown handler kind {quote(kind)}{near}")
    pidfile = flags.get("pidfile", "")
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(config, found.integrations, disabled, pidfile))
    except KapacitorError as error:
        log.error(str(error))
        raise


def _deny(config: Config, cidrs: tuple[str, ...]) -> None:
    """Add `cidrs` to the denied networks.

    Raises:
        ConfigError: a text is not a network.
    """
    try:
        DeniedNetworks.parsed(cidrs)
    except ValueError as error:
        raise ConfigError(f"-blacklist-cidrs: {error}") from None
    denied = (*config.delivery.denied_networks, *cidrs)
    config.delivery = dataclasses.replace(config.delivery, denied_networks=denied)


async def _serve(
    config: Config,
    integrations: Integrations,
    disabled: frozenset[str],
    pidfile: str,
) -> None:
    """Serve until a signal arrives; a second one ends the process at once."""
    # imported here: other commands do not need the server and all its imports
    from runtime.server.server import RunningServer

    try:
        try:
            validate(config)
        except ConfigError as error:
            raise ConfigError(f"invalid configuration: {error}") from None
        server = RunningServer(config, integrations, disabled_handlers=disabled)
    except KapacitorError as error:
        raise ConfigError(f"create server: {error}") from error
    # not earlier: a second server on the same database must not replace the file
    with pid_file(Path(pidfile)) if pidfile else contextlib.nullcontext():
        await _serve_until_stopped(server)


async def _serve_until_stopped(server: _Server) -> None:
    stop = asyncio.Event()

    def signalled() -> None:
        if stop.is_set():
            log.error("second signal received, initializing hard shutdown")
            os._exit(1)
        log.info("signal received, initializing clean shutdown...")
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled)
    # also sent by log rotation; by default it would end the process
    hangup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    try:
        with _kept_from_collector():
            await server.open()
    except KapacitorError as error:
        raise ConfigError(f"open server: {error}") from error
    # the server has just loaded the directory: an earlier signal needs no reload
    hangup.clear()
    reloads = asyncio.create_task(_reload(server, hangup))
    await stop.wait()
    reloads.cancel()
    await server.close()


@contextlib.contextmanager
def _kept_from_collector() -> Iterator[None]:
    """Exempt objects created inside from garbage collection: they live as long as the server.

    Traversing hundreds of thousands of states would delay the first requests.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


async def _reload(server: _Server, hangup: asyncio.Event) -> None:
    """Reload the load directory on each SIGHUP."""
    while True:
        await hangup.wait()
        hangup.clear()
        await server.reload()


def tune_memory() -> None:
    """Tune memory; must be called before the server's modules are loaded."""
    # numpy's linear algebra, which is not used, has threads with large buffers
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # by default each thread has a heap, whose free memory other threads cannot use
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the factory of event loops, uvloop's if it is installed."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop
