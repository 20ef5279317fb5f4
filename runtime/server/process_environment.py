"""Environment of the server's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ProcessEnvironment(NamedTuple):
    """Variables and folders that the configuration is read from.

    Attributes:
        environ: environment variables.
        home: the user's home directory.
        etc: the system's configuration directory.
        folder: folder of the project; "" for none.
    """

    environ: Mapping[str, str]
    home: str
    etc: str = "/etc"
    folder: str = ""
