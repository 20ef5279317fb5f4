"""The `kapacitord` command."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import dataclasses
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtime.addresses import DeniedNetworks
from runtime.errors import ConfigError, KapacitorError
from runtime.server.config import Config, demo_config
from runtime.server.config_file import Loaded, dump, find, read
from runtime.server.environment import apply
from runtime.server.logs import configure
from runtime.server.pid_file import pid_file
from runtime.version import VERSION

log = logging.getLogger("kapacitor.run")

LOGO = r"""
  _                             _ _
 | | ____ _ _ __   __ _  ___(_) |_ ___  _ __
 | |/ / _` | '_ \ / _` |/ __| | __/ _ \| '__|
 |   < (_| | |_) | (_| | (__| | || (_) | |
 |_|\_\__,_| .__/ \__,_|\___|_|\__\___/|_|
           |_|
"""
USAGE = """\
Runs alert tasks over points that come in over HTTP.

Usage: kapacitord [[command] [arguments]]

Commands:

    config      show the effective configuration as TOML
    help        show this help
    run         run the server (the default)
    version     show the version

Arguments of run:

    -config PATH             the configuration file; /dev/null for none
    -hostname NAME           instead of the configuration's hostname
    -pidfile PATH            write the process id there
    -log-file PATH           write the log there
    -log-level LEVEL         DEBUG, INFO, WARN, ERROR or OFF
    -disable-handlers KINDS  kinds of topic handlers that are not to run, as a,b
    -blacklist-cidrs CIDRS   more networks that are not connected to, as a,b

Arguments of config:

    -config PATH             a file to merge over the defaults
    -hostname NAME           instead of the configuration's hostname
"""
_HINT = (
    "To generate a valid configuration file run "
    "`kapacitord config > kapacitor.generated.conf`."
)
# Kapacitor's flags that do nothing here; who relies on one must hear of it
_UNSUPPORTED = ("cpuprofile", "memprofile")
_RUN_FLAGS = frozenset(
    (
        *("config", "hostname", "pidfile", "log-file", "log-level"),
        *("disable-handlers", "blacklist-cidrs", *_UNSUPPORTED),
    )
)
_M_ARENA_MAX = -8  # of glibc's malloc.h
_CONFIG_FLAGS = frozenset(("config", "hostname"))
_HELP = frozenset(("h", "help"))


class _UsageError(KapacitorError):
    """The command line is wrong."""


@dataclass(frozen=True, slots=True)
class World:
    """What the command takes from its surroundings.

    Attributes:
        environ: environment variables.
        home: the user's home directory.
        etc: the system's configuration directory.
    """

    environ: Mapping[str, str]
    home: Path
    etc: Path = Path("/etc")


class _Server(Protocol):
    """The server, whose module is imported late."""

    async def open(self) -> None:
        """Open its services."""

    async def close(self) -> None:
        """Close its services."""

    async def reload(self) -> None:
        """Load the load directory again."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(run_command(given, World(os.environ, Path.home())))


def run_command(arguments: Sequence[str], world: World) -> int:
    """Run one command; the exit code."""
    command, rest = "run", list(arguments)
    if rest and not rest[0].startswith("-"):
        command, rest = rest[0], rest[1:]
    if command == "help" or (rest and rest[0].lstrip("-") in _HELP):
        print(USAGE, end="")
        return 0
    if command == "version":
        print(f"Kapacitor OSS version {VERSION} (git: scaffold runtime)")
        return 0
    if command not in ("run", "config"):
        print(
            f"unknown command \"{command}\"\nRun 'kapacitord help' for usage\n\n",
            file=sys.stderr,
        )
        return 1
    try:
        if command == "config":
            _show_config(_flags(rest, _CONFIG_FLAGS), world)
        else:
            _run(_flags(rest, _RUN_FLAGS), world)
    except KapacitorError as error:
        if isinstance(error, _UsageError):
            print(USAGE, file=sys.stderr)
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    return 0


def _flags(arguments: Sequence[str], known: frozenset[str]) -> dict[str, str]:
    """The flags given, by name; `-a b`, `-a=b`, `--a b`.

    Raises:
        _UsageError: one is unknown or lacks its value; the texts are Go's.
    """
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            break
        name, equals, value = (
            argument.removeprefix("-").removeprefix("-").partition("=")
        )
        if name not in known:
            raise _UsageError(f"flag provided but not defined: -{name}")
        if not equals:
            if not rest:
                raise _UsageError(f"flag needs an argument: -{name}")
            value = rest.pop(0)
        found[name] = value
    return found


def load(flags: Mapping[str, str], world: World, *, merge: bool = False) -> Loaded:
    """The configuration from file, environment and flags; not validated yet.

    Args:
        flags: `config` and `hostname` matter.
        world: where files and environment are.
        merge: lay the file over the built-in demo values instead of plain defaults.

    Raises:
        ConfigError: file or environment are wrong.
    """
    path = find(flags.get("config", ""), world.environ, world.home, world.etc)
    if path is None:
        print("No configuration provided, using default settings", file=sys.stderr)
        loaded = Loaded(demo_config(world.home))
    else:
        doing = "Merging with" if merge else "Using"
        print(f"{doing} configuration at: {path}", file=sys.stderr)
        loaded = read(path, demo_config(world.home) if merge else Config())
    config = apply(loaded.config, world.environ)
    if name := flags.get("hostname"):
        config.hostname = name
    return Loaded(config, loaded.warnings)


def _validate(config: Config) -> None:
    try:
        config.validate()
    except ConfigError as error:
        raise ConfigError(f"{error}. {_HINT}") from None


def _show_config(flags: Mapping[str, str], world: World) -> None:
    loaded = load(flags, world, merge=True)
    for warning in loaded.warnings:
        print(warning, file=sys.stderr)
    _validate(loaded.config)
    print(dump(loaded.config), end="")


def _run(flags: Mapping[str, str], world: World) -> None:
    for name in _UNSUPPORTED:
        if flags.get(name):
            raise _UsageError(f"-{name} is not supported by this server")
    print(LOGO, flush=True)
    loaded = load(flags, world)
    config = loaded.config
    config.logging = dataclasses.replace(
        config.logging,
        file=flags.get("log-file") or config.logging.file,
        level=flags.get("log-level") or config.logging.level,
    )
    _deny(config, _listed(flags, "blacklist-cidrs"))
    try:
        configure(config.logging)
    except ConfigError as error:
        raise ConfigError(f"init logging: {error}") from None
    for warning in loaded.warnings:
        log.warning(warning)
    disabled = frozenset(_listed(flags, "disable-handlers"))
    pidfile = flags.get("pidfile", "")
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(config, disabled, pidfile))
    except KapacitorError as error:
        log.error(str(error))
        raise


def _listed(flags: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The values of a flag that has several, as `a,b`."""
    values = (value.strip() for value in flags.get(name, "").split(","))
    return tuple(filter(None, values))


def _deny(config: Config, cidrs: tuple[str, ...]) -> None:
    """Connect to none of `cidrs`, either.

    Raises:
        ConfigError: one is no network.
    """
    try:
        DeniedNetworks.parsed(cidrs)
    except ValueError as error:
        raise ConfigError(f"-blacklist-cidrs: {error}") from None
    denied = (*config.delivery.denied_networks, *cidrs)
    config.delivery = dataclasses.replace(config.delivery, denied_networks=denied)


async def _serve(config: Config, disabled: frozenset[str], pidfile: str) -> None:
    """Serve until a signal comes; a second one ends the process at once."""
    _save_memory()
    # the server pulls in everything; the other commands do without
    from runtime.server.server import Server

    try:
        try:
            _validate(config)
        except ConfigError as error:
            raise ConfigError(f"invalid configuration: {error}") from None
        server = Server(config, disabled_handlers=disabled)
    except KapacitorError as error:
        raise ConfigError(f"create server: {error}") from error
    # only now: a second server on the same database is not to replace the first's file
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
    # log rotation sends it too; the default would end the process
    hangup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    try:
        await server.open()
    except KapacitorError as error:
        raise ConfigError(f"open server: {error}") from error
    # what is there by now stays: the collector need not look at it again and again
    gc.collect()
    gc.freeze()
    # a signal that came while the server opened asked for what was just done
    hangup.clear()
    reloads = asyncio.create_task(_reload(server, hangup))
    await stop.wait()
    reloads.cancel()
    await server.close()


async def _reload(server: _Server, hangup: asyncio.Event) -> None:
    """Reload the load directory whenever a hangup comes."""
    while True:
        await hangup.wait()
        hangup.clear()
        await server.reload()


def _save_memory() -> None:
    """Settings that must be made before the server's parts are loaded."""
    # numpy's linear algebra, which nobody uses, has threads with large buffers
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # glibc keeps a heap for each thread; what one frees the others cannot use
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_ARENA_MAX, 1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop


if __name__ == "__main__":
    main()
