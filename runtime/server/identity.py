"""The server's identity: host name and IDs."""

from __future__ import annotations

import uuid
from pathlib import Path

from runtime.errors import KapacitorError
from runtime.nodes.environment import ServerInfo
from runtime.server.config.config import Config
from runtime.store import durable


def identity(config: Config) -> ServerInfo:
    """Host name and ids; the ids are made once and kept in the data directory.

    Raises:
        KapacitorError: they cannot be read, or not be kept.
    """
    directory = Path(config.data_dir)
    try:
        directory.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise KapacitorError(f"{directory}: {error.strerror}") from error
    return ServerInfo(
        config.hostname, _id(directory / "cluster.id"), _id(directory / "server.id")
    )


def _id(path: Path) -> str:
    try:
        if path.is_file() and (known := path.read_text().strip()):
            return known
        made = str(uuid.uuid4())
        # half an id would be taken for a whole one ever after
        durable.write(path, made.encode())
    except OSError as error:
        raise KapacitorError(f"{path}: {error.strerror}") from error
    return made
