"""Specs of many kinds, and the files generated from them, shared by the tests."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from scaffold import places
from scaffold.flags import Flags
from scaffold.layout.style import PLAIN, Style
from scaffold.patching.outcomes import PlaceOutcome
from scaffold.patching.patch import Merge
from scaffold.patching.place import Registration
from scaffold.rendering.render import render
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import from_flags, parse

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "tests/scaffold/specs"
BUNDLED = ("foo", "hipchat")
APIS = tuple(sorted(file.stem for file in (SPECS / "apis").iterdir()))


Render = Callable[..., str]
Patched = tuple[bytes, tuple[PlaceOutcome, ...]]


def rendering_once(render: Render) -> Render:
    """Render, but nothing a second time: a text depends only on what is given."""
    known: dict[tuple[object, ...], str] = {}

    def rendered(
        template: str, spec: HandlerSpec, *more: object, **named: object
    ) -> str:
        said = repr(spec.document), spec.text
        key = (template, *said, *more, *named.items())
        if key not in known:
            known[key] = render(template, spec, *more, **named)
        return known[key]

    return rendered


def patching_once(patch: Callable[..., Patched]) -> Callable[..., Patched]:
    """Patch, but nothing a second time unless hand edits are merged in."""
    known: dict[tuple[object, ...], Patched] = {}

    def patched(
        path: PurePosixPath,
        data: bytes,
        registrations: Sequence[Registration],
        style: Style = PLAIN,
        merge: Merge = _unmerged,
    ) -> Patched:
        key = (path, data, *registrations, style)
        if key in known:
            return known[key]
        is_merged = False

        def merging(asked: Registration, now: str) -> str | None:
            nonlocal is_merged
            is_merged = True
            return merge(asked, now)

        found = patch(path, data, registrations, style, merging)
        if not is_merged:
            known[key] = found
        return found

    return patched


def _unmerged(asked: Registration, now: str) -> None:
    """Merge nothing, as patching does if no merge is given."""


def spec_of(name: str) -> HandlerSpec:
    """A spec by the name of its file, or of the handler that is bundled."""
    path = SPECS / f"{name}.toml"
    if name in APIS:
        path = SPECS / "apis" / f"{name}.toml"
    if name in BUNDLED:
        path = ROOT / "runtime/services" / name / "handler.toml"
    return parse(path.read_text(), str(path))


def created(spec: HandlerSpec, package: str = "runtime") -> dict[str, str]:
    """The generated files, by path."""
    made = {
        str(file.path): render(file.template, spec, package)
        for file in places.files(spec.names, package)
    }
    return {path: text for path, text in made.items() if text}


def registered(spec: HandlerSpec, package: str = "runtime") -> dict[str, str]:
    """Return the registrations, by file and place."""
    return {
        f"{place.path}: {place.place}": render(place.template, spec, package)
        for place in places.places(spec.names, package)
    }


FLAGS = (
    from_flags(Flags("tiny")),
    from_flags(Flags("one", fields=("room:str",))),
    from_flags(
        Flags(
            "many_words",
            fields=("token:secret", "count:int=3", "who:list=a,b", "from:str", "x:float=1"),
            config=("wait:duration=10s", "labels:map=a=b", "url:url=http://x.example.com"),
            options=("wake:flag", "extra:map", "after:duration"),
            is_global=True,
            state_changes_only=True,
            title="Many Words",
        )
    ),
)  # fmt: skip
FILES = ("minimal", "everything", *APIS, *BUNDLED)
ALL = {spec.names.kind: spec for spec in (*map(spec_of, FILES), *FLAGS)}


@functools.cache
def files_of(kind: str) -> dict[str, str]:
    """The generated files of one of `ALL`, by path."""
    return created(ALL[kind])
