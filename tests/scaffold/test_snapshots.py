"""One text file for each generated file, and one for all registrations."""

from pathlib import Path

import pytest

from runtime.testing.snapshots import TextSnapshot
from scaffold import places
from scaffold.rendering.render import render
from scaffold.spec.parse import parse

ROOT = Path(__file__).parents[2]
SPECS = {
    "minimal": ROOT / "tests/scaffold/specs/minimal.toml",
    "hipchat": ROOT / "runtime/services/hipchat/handler.toml",
    "everything": ROOT / "tests/scaffold/specs/everything.toml",
}


def spec_of(name):
    return parse(SPECS[name].read_text(), name)


def files():
    for name in SPECS:
        for file in places.files(spec_of(name).names, "runtime"):
            yield pytest.param(
                name, file, id=f"{name}-{str(file.path).replace('/', '.')}"
            )


@pytest.mark.parametrize(("name", "file"), list(files()))
def test_file(name, file, snapshot):
    text = render(file.template, spec_of(name), "runtime")
    assert text == snapshot(extension_class=TextSnapshot)


@pytest.mark.parametrize("name", SPECS)
def test_registrations(name, snapshot):
    spec = spec_of(name)
    parts = [
        f"{place.path}: {place.place} ({place.key})\n\n{render(place.template, spec)}"
        for place in places.places(spec.names, "runtime")
    ]
    assert f"\n{'-' * 72}\n".join(parts) == snapshot(extension_class=TextSnapshot)
