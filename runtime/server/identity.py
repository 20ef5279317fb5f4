"""The server's identity: host name and IDs."""

from __future__ import annotations

import uuid
from pathlib import Path

from runtime.errors import KapacitorError
from runtime.nodes.environment import ServerInfo
from runtime.server.config.config import Config
from runtime.services.httpd.messages import BASE
from runtime.services.server import Server
from runtime.store import durable
from runtime.units import Clock


def identity(config: Config) -> ServerInfo:
    """Host name and ids; the ids are created once and kept in the data directory.

    Raises:
        KapacitorError: the ids cannot be read or stored.
    """
    directory = Path(config.data_dir)
    try:
        directory.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise KapacitorError(f"{directory}: {error.strerror}") from error
    return ServerInfo(
        config.hostname, _id(directory / "cluster.id"), _id(directory / "server.id")
    )


def described(config: Config, clock: Clock) -> Server:
    """The server as services see it.

    Its host is the configured `hostname`, as the address that it listens on may be no
    machine's: `0.0.0.0`.
    """
    _, port = config.http.address()
    scheme = "https" if config.http.https_enabled else "http"
    host = f"[{config.hostname}]" if ":" in config.hostname else config.hostname
    return Server(f"{scheme}://{host}:{port}{BASE}", config.hostname, clock)


def _id(path: Path) -> str:
    try:
        if path.is_file() and (known := path.read_text().strip()):
            return known
        made = str(uuid.uuid4())
        # durable: after a crash, a part of an id would be taken for the whole one
        durable.write(path, made.encode())
    except OSError as error:
        raise KapacitorError(f"{path}: {error.strerror}") from error
    return made
