"""The state of the files and registrations of a handler, as people leave them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest

from scaffold.flags import Flags
from scaffold.names import Names
from scaffold.presence import spots
from scaffold.spec.parse import from_flags
from tests.scaffold.memory import Project, record

NAMES = Names("huddle", "huddle")
SERVICES = "runtime/integrations/services.py"
ENTRY = '    "huddle": "runtime.services.huddle.service:Service",\n'
KINDS = "runtime/integrations/kinds.py"
KIND = '    "huddle": "runtime.services.huddle.handler:HandlerConfig",\n'
PAGE = "docs/handlers/huddle.md"


@functools.cache
def _generated(files: tuple[tuple[PurePosixPath, bytes], ...]) -> Project:
    project = Project(dict(files))
    project.create(from_flags(Flags("huddle", fields=("channel:str",))).to_toml())
    return project


@pytest.fixture
def huddle(made_files: Mapping[PurePosixPath, bytes]) -> Project:
    """A project with the handler huddle."""
    return Project(_generated(tuple(made_files.items())).files)


def states(project: Project) -> dict[tuple[str, str], str]:
    """The states that differ from `present`, by path and place."""
    return {
        (str(spot.path), spot.place): spot.state
        for spot in spots(project.tree, NAMES, "runtime")
        if spot.state not in ("present", "unused")
    }


def test_everything_that_was_generated_is_present(huddle: Project) -> None:
    found = list(spots(huddle.tree, NAMES, "runtime"))
    assert states(huddle) == {}
    assert sum(spot.state == "present" for spot in found) > 20
    assert {spot.path.name for spot in found if spot.state == "unused"} == {
        "test_an_alert_from_its_beginning.txt",
        "test_variants.txt",
    }


@pytest.mark.parametrize(
    ("path", "old", "new", "place", "state"),
    [
        (SERVICES, ENTRY, "", "service", "missing"),
        (KINDS, KIND, "", "kind", "missing"),
        (SERVICES, ENTRY, ENTRY * 2, "service", "doubled"),
        (
            SERVICES,
            'huddle.service:Service",',
            'huddle.service:Service" or None,',
            "service",
            "edited",
        ),
        ("etc/kapacitor.conf", "[huddle]\n", "[huddle]\nx = 1\n", "section", "edited"),
        (PAGE, "# Huddle", "# My Huddle", "file", "edited"),
    ],
)
def test_what_a_person_did_is_seen(
    huddle: Project, path: str, old: str, new: str, place: str, state: str
) -> None:
    huddle.edit(path, old, new)
    assert states(huddle) == {(path, place): state}


@pytest.mark.parametrize(
    ("old", "new"),
    [(ENTRY, ENTRY.replace('"', "'")), (ENTRY, ENTRY.replace(": ", " :  "))],
)
def test_another_layout_is_no_edit(huddle: Project, old: str, new: str) -> None:
    huddle.edit(SERVICES, old, new)
    huddle.files[PurePosixPath(PAGE)] = huddle.text(PAGE).replace("\n", "\r\n").encode()
    assert states(huddle) == {}


def test_a_file_that_is_missing_or_unreadable_is_all_of_its_places(
    huddle: Project,
) -> None:
    huddle.remove(SERVICES)
    huddle.remove(PAGE)
    huddle.files[PurePosixPath(KINDS)] = b"def (:\n"
    assert states(huddle) == {
        (PAGE, "file"): "missing",
        (SERVICES, "service"): "missing",
        (KINDS, "kind"): "unreadable",
    }


def test_a_line_that_is_written_once_is_its_owners(huddle: Project) -> None:
    huddle.edit("CHANGELOG.md", ".huddle()", ".huddle() at last")
    assert states(huddle) == {}
    huddle.remove("CHANGELOG.md")
    assert states(huddle) == {}


@pytest.mark.parametrize("text", [None, b"damaged\n"])
def test_without_a_record_nothing_counts_as_edited(
    huddle: Project, text: bytes | None
) -> None:
    huddle.edit(PAGE, "# Huddle", "# My Huddle")
    if text is None:
        huddle.remove(record("huddle"))
    else:
        huddle.files[PurePosixPath(record("huddle"))] = text
    assert states(huddle) == {}


def test_a_file_that_a_formatter_rewrote_is_not_edited(huddle: Project) -> None:
    service = "runtime/services/huddle/service.py"
    huddle.edit(
        service, 'kind: ClassVar[str] = "huddle"', "kind: ClassVar[str]='huddle'"
    )
    assert states(huddle) == {}
    huddle.edit(
        service, "kind: ClassVar[str]='huddle'", "kind: ClassVar[str] = 'other'"
    )
    assert states(huddle) == {(service, "file"): "edited"}
