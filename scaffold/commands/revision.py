"""A committed spec, revised by a command: its file and the handler that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from scaffold.errors import SpecError
from scaffold.spec.edits import Edits, edited
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import parse
from scaffold.spec.reader import Path

_BOM = b"\xef\xbb\xbf"


def revised(data: bytes, edits: Edits, path: PurePosixPath) -> bytes:
    """The file of a spec with the edits; line ends and a byte order mark stay.

    Raises:
        PlanError: its layout cannot be kept.
    """
    bom = _BOM if data.startswith(_BOM) else b""
    text = data.removeprefix(bom).decode()
    return bom + edited(text, edits, str(path)).encode()


def described(
    data: bytes, path: PurePosixPath, origins: Mapping[Path, str]
) -> HandlerSpec:
    """The handler that a revised file describes.

    Args:
        data: the file.
        path: its path.
        origins: flags by the place in the spec that they set.

    Raises:
        SpecError: the file is invalid; the faults have no lines, as it is not written.
    """
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    try:
        return parse(text, str(path), origins=origins)
    except SpecError as error:
        faults = [each._replace(line=None) for each in error.faults]
        raise SpecError(faults) from None
