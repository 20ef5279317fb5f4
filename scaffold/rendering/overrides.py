"""Templates that a project overrides, in the form that the renderer takes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple


class Override(NamedTuple):
    """A template of the project in place of one of the product.

    Attributes:
        name: name of the product's template, such as `create/…/config.py.j2`.
        text: its text.
        path: its path in the project.
    """

    name: str
    text: str
    path: PurePosixPath


Overrides = tuple[Override, ...]
