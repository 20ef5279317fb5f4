"""The environment of the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Surroundings(NamedTuple):
    """The surroundings.

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
