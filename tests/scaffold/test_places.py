"""The tables, the templates and the documentation agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.names import Names
from scaffold.places import CREATE, EDIT, SPEC_PATH, files, places, spec_path
from scaffold.rendering.product import templates_path

ROOT = Path(__file__).parents[2]
DOCS = "".join(
    (ROOT / page).read_text() for page in ("docs/architecture.md", "docs/scaffold.md")
)


def test_every_entry_has_a_template_and_every_template_an_entry() -> None:
    entries = [entry.template for entry in (*CREATE, *EDIT)]
    found = [
        file.relative_to(templates_path()).as_posix()
        for folder in ("create", "edit")
        for file in (templates_path() / folder).rglob("*.j2")
    ]
    assert sorted(entries) == sorted(found)


@pytest.mark.parametrize(
    "path", sorted({SPEC_PATH, *(str(entry.path) for entry in (*CREATE, *EDIT))})
)
def test_the_documentation_names_every_path(path: str) -> None:
    assert f"`{path}`" in DOCS


@pytest.mark.parametrize("path", sorted({str(entry.path) for entry in EDIT}))
def test_every_file_with_a_place_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_no_two_entries_are_the_same() -> None:
    entries = [(entry.path, entry.place) for entry in EDIT]
    assert len(set(entries)) == len(entries)


def test_the_runtime_may_have_another_name() -> None:
    names = Names("foo", "foo")
    assert str(spec_path("foo", "acme")) == "acme/services/foo/handler.toml"
    paths = {str(file.path) for file in files(names, "acme")}
    assert "acme/services/foo/footest.py" in paths
    assert "tests/acme/services/foo/test_foo_service.py" in paths
    assert "docs/handlers/foo.md" in paths
    keys = {place.key for place in places(names, "acme")}
    assert {"foo", "handlers/foo.md", ".foo()"} == keys
