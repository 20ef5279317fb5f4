"""The wanted state of one handler: the text of every file and registration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import places
from scaffold.patching.place import Place
from scaffold.spec.model.handler import HandlerSpec

Render = Callable[[str, HandlerSpec, str], str]
"""The text of a template, for a spec and the package that the runtime is called."""


class Wanted(NamedTuple):
    """The wanted state of one handler.

    Attributes:
        kind: the handler's name.
        package: the import package that it is generated into.
        files: the text of each file, the spec's own included; empty for a handler whose
            spec was removed.
        places: the text of each registration.
        skipped: shared files that the project does not want entries in.
        discards_edits: true to also remove code edited by hand.
    """

    kind: str
    package: str
    files: Mapping[PurePosixPath, str]
    places: Mapping[Place, str]
    skipped: Collection[PurePosixPath] = ()
    discards_edits: bool = False

    @property
    def spec_path(self) -> PurePosixPath:
        """The path of its spec."""
        return places.spec_path(self.kind, self.package)

    @property
    def is_gone(self) -> bool:
        """True for a handler whose spec was removed."""
        return not self.files


def wanted(
    spec: HandlerSpec,
    package: str,
    render: Render,
    skipped: Collection[PurePosixPath] = (),
) -> Wanted:
    """Render everything for one handler.

    Args:
        spec: the handler's spec.
        package: the import package that it is generated into.
        render: gives the text of a template.
        skipped: shared files that the project does not want entries in.
    """
    names = spec.names
    files = {places.spec_path(names.kind, package): spec.to_toml()}
    for file in places.files(names, package):
        content = render(file.template, spec, package)
        if content:
            files[file.path] = content
    texts = {
        place: render(place.template, spec, package)
        for place in places.places(names, package)
        if not (place.optional and place.path in skipped)
    }
    return Wanted(names.kind, package, dict(sorted(files.items())), texts, skipped)


def nothing(kind: str, package: str, *, discards_edits: bool = False) -> Wanted:
    """The wanted state of a handler that is to be removed, or that has no spec."""
    return Wanted(kind, package, {}, {}, discards_edits=discards_edits)
