"""Findings of `check`, and the commands that fix them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest

from scaffold import places
from scaffold.errors import PlanError
from scaffold.flags import Flags
from scaffold.outcomes import (
    DocumentationMissing,
    EntryReleased,
    Released,
)
from scaffold.patching.anchors import CallArguments, DictLiteral
from scaffold.patching.outcomes import SurplusKept, Unregistered
from scaffold.places import EDIT
from scaffold.rendering.projects import project_file, project_files
from scaffold.spec.parse import from_flags
from tests.scaffold.memory import Project, record

SERVICE = "runtime/services/huddle/service.py"
SPEC = "runtime/services/huddle/handler.toml"
SERVICES = "runtime/integrations/services.py"
PROPERTIES = "runtime/integrations/properties.py"
TOML = from_flags(Flags("huddle", fields=("channel:str",))).to_toml()
FIX = "scaffold regenerate huddle"
REMOVE = "scaffold remove-handler huddle"


@functools.cache
def _generated(files: tuple[tuple[PurePosixPath, bytes], ...]) -> Project:
    project = Project(dict(files))
    project.create(TOML)
    return project


@pytest.fixture
def bare(made_files: Mapping[PurePosixPath, bytes]) -> Project:
    """A project without a handler of its own."""
    return Project(made_files)


@pytest.fixture
def huddle(made_files: Mapping[PurePosixPath, bytes]) -> Project:
    """A project with the handler huddle."""
    return Project(_generated(tuple(made_files.items())).files)


def test_what_was_generated_is_right(huddle: Project) -> None:
    assert huddle.check() == []
    assert huddle.regenerate().changes == ()


EDITS = {
    "a file is missing": (SERVICE, None, "", "SC104"),
    "a registration is missing": (
        SERVICES,
        '    "huddle": "runtime.services.huddle.service:Service",\n',
        "",
        "SC101",
    ),
    "a spec changed": (SPEC, "test huddle message", "another message", "SC107"),
    "a list has an entry twice": (
        "tests/runtime/test_registration.py",
        '    "huddle",\n',
        '    "huddle",\n' * 2,
        "SC102",
    ),
}


@pytest.mark.parametrize(("path", "old", "new", "code"), EDITS.values(), ids=EDITS)
def test_the_fix_of_a_finding_puts_it_right(
    huddle: Project, path: str, old: str | None, new: str, code: str
) -> None:
    before = dict(huddle.files)
    if old is None:
        huddle.remove(path)
    else:
        huddle.edit(path, old, new)
    [finding] = huddle.check("huddle")
    assert (finding.code, finding.fix) == (code, FIX)
    assert finding.severity == "error"
    assert str(finding.path) in {path, SPEC}
    huddle.regenerate("huddle")
    assert huddle.check() == []
    if code != "SC107":
        assert huddle.files == before


@pytest.mark.parametrize(
    ("path", "old", "new", "code"),
    [
        (SERVICE, '"""The Huddle service."""', '"""Mine."""', "SC105"),
        (
            SERVICES,
            'huddle.service:Service",\n',
            'huddle.service:Service" or None,\n',
            "SC103",
        ),
    ],
)
def test_an_edit_is_kept_and_needs_no_repair(
    huddle: Project, path: str, old: str, new: str, code: str
) -> None:
    huddle.edit(path, old, new)
    text = huddle.text(path)
    [finding] = huddle.check()
    assert (finding.code, finding.severity) == (code, "info")
    assert finding.fix == "scaffold diff huddle"
    huddle.regenerate()
    assert huddle.text(path) == text


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (SERVICE, '"""The Huddle service."""', '"""Mine."""'),
        ("etc/kapacitor.conf", "[huddle]\n  # ", "[huddle]\n  # My "),
    ],
)
def test_where_an_edit_is_in_the_way_no_refused_command_is_offered(
    huddle: Project, path: str, old: str, new: str
) -> None:
    huddle.edit(path, old, new)
    huddle.edit(SPEC, "test huddle message", "another message")
    huddle.edit(SPEC, "[option]\n", '[option]\ncolour = { type = "str" }\n')
    huddle.edit(SPEC, 'title = "Huddle"', 'title = "Huddle Chat"')
    findings = huddle.check()
    assert "SC110" in [finding.code for finding in findings]
    fix = f"scaffold resolve {path} --take mine"
    assert {finding.fix for finding in findings} == {fix}
    assert [str(each.path) for each in huddle.regenerate().unsettled] == [path]


def test_a_lost_record_is_made_again(huddle: Project) -> None:
    before = dict(huddle.files)
    huddle.remove(record("huddle"))
    [finding] = huddle.check("huddle")
    assert (finding.code, finding.fix) == ("SC109", "scaffold adopt huddle")
    huddle.adopt("huddle")
    assert huddle.files == before


def test_a_lost_record_beside_an_edit_offers_no_refused_command(
    huddle: Project,
) -> None:
    huddle.remove(".scaffold/handlers/huddle")
    huddle.edit(SERVICE, '"""The Huddle service."""', '"""Mine."""')
    codes = {finding.code: finding.fix for finding in huddle.check()}
    assert codes == dict.fromkeys(("SC109", "SC110"), "scaffold adopt huddle")
    huddle.adopt("huddle")
    assert huddle.codes() == ["SC105"]


def test_a_missing_shared_file_hides_no_other_finding(huddle: Project) -> None:
    huddle.remove(SERVICES)
    huddle.remove(SERVICE)
    huddle.edit(SPEC, "test huddle message", "another message")
    found = {finding.code: finding for finding in huddle.check("huddle")}
    assert set(found) == {"SC104", "SC107", "SC112"}
    assert str(found["SC112"].path) == SERVICES
    assert {finding.fix for finding in found.values()} == {""}


def test_two_edited_copies_of_an_entry_are_a_persons_to_choose_from(
    huddle: Project,
) -> None:
    line = '    "huddle": "runtime.services.huddle.property:HuddleHandler",\n'
    huddle.edit(
        PROPERTIES, line, line.replace(",", " or 1,") + line.replace(",", " or 2,")
    )
    codes = {finding.code: finding.fix for finding in huddle.check()}
    assert codes == {"SC103": "scaffold diff huddle", "SC102": ""}
    result = huddle.regenerate()
    assert any(isinstance(each, SurplusKept) for each in result.outcomes)


def test_copies_of_an_entry_are_removed(huddle: Project) -> None:
    text = huddle.text(PROPERTIES)
    entry = '    "huddle": "runtime.services.huddle.property:HuddleHandler",\n'
    huddle.edit(PROPERTIES, entry, entry * 3)
    assert huddle.codes() == ["SC102"] * 2
    huddle.regenerate()
    assert huddle.text(PROPERTIES) == text


# a newer or an older generator


def without(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Take the places in a file out of the table."""
    kept = tuple(place for place in EDIT if str(place.path) != path)
    assert kept != EDIT
    monkeypatch.setattr(places, "EDIT", kept)


@pytest.mark.parametrize(
    "path",
    [
        "docs/handlers.md",
        "etc/kapacitor.conf",
        "tests/runtime/test_registration.py",
        "runtime/integrations/node_handlers.py",
    ],
)
def test_a_place_that_left_the_table_is_unregistered(
    bare: Project, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    before = bare.text(path)
    bare.create(TOML)
    assert bare.text(path) != before
    without(monkeypatch, path)
    findings = bare.check("huddle")
    assert {finding.code for finding in findings} == {"SC108"}
    assert {str(finding.path) for finding in findings} == {path}
    assert {finding.fix for finding in findings} == {FIX}
    bare.regenerate("huddle")
    assert bare.text(path) == before
    assert path not in bare.text(record("huddle"))
    assert bare.check("huddle") == []


def test_an_edited_entry_of_a_place_that_left_the_table_is_its_owners(
    huddle: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "runtime/integrations/node_handlers.py"
    huddle.edit(path, '    "huddle":', '    # mine\n    "huddle" :')
    text = huddle.text(path)
    without(monkeypatch, path)
    assert set(huddle.codes("huddle")) == {"SC108"}
    result = huddle.regenerate("huddle")
    assert any(isinstance(each, EntryReleased) for each in result.outcomes)
    assert "# mine" in text
    assert "# mine" in huddle.text(path)
    assert huddle.check("huddle") == []


def test_a_file_that_left_the_table_is_removed_unless_it_was_edited(
    huddle: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, readme = "docs/handlers/huddle.md", "examples/huddle/README.md"
    gone = {page.replace("huddle", "{kind}"), readme.replace("huddle", "{kind}")}
    kept = tuple(file for file in places.CREATE if str(file.path) not in gone)
    monkeypatch.setattr(places, "CREATE", kept)
    huddle.edit(page, "# ", "# My ")
    found = {str(finding.path): finding.code for finding in huddle.check("huddle")}
    assert found == {page: "SC108", readme: "SC108"}
    result = huddle.regenerate("huddle")
    assert [each.path.name for each in result.outcomes if isinstance(each, Released)]
    assert PurePosixPath(page) in huddle.files
    assert PurePosixPath(readme) not in huddle.files
    assert huddle.check("huddle") == []


def test_another_property_unregisters_the_former_one(huddle: Project) -> None:
    assert '"huddle": "runtime.services.huddle.property:HuddleHandler"' in huddle.text(
        PROPERTIES
    )
    huddle.edit(SPEC, 'name = "huddle"\n', 'name = "huddle"\nproperty = "chat"\n')
    assert "SC107" in huddle.codes("huddle")
    result = huddle.regenerate("huddle")
    assert any(isinstance(each, Unregistered) for each in result.outcomes)
    assert (
        '"huddle": "runtime.services.huddle.property:HuddleHandler"'
        not in huddle.text(PROPERTIES)
    )
    assert '"chat": ' in huddle.text(PROPERTIES)
    assert huddle.check("huddle") == []


FRESH = '"""Titles."""\n\nfrom typing import Final\n\nTITLES: Final = {\n}\n'
TITLES = "runtime/services/titles.py"


@pytest.fixture
def titled(huddle: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A newer generator: it registers the title of a handler."""
    new = EDIT[0]._replace(
        path=PurePosixPath(TITLES),
        place="title",
        anchor=DictLiteral("TITLES"),
        key="{kind}",
        template="edit/runtime/integrations/node_handlers/handler.py.j2",
    )
    monkeypatch.setattr(places, "EDIT", (*EDIT, new))
    return huddle


def fresh(path: PurePosixPath) -> str | None:
    return FRESH if str(path) == TITLES else None


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (None, '"""Titles."""\n\nfrom typing import Final\n\n'),
        ('"""Titles."""\n', '"""Titles."""\n\nfrom typing import Final\n\n\n'),
        (
            "import os\n\nX = os\n",
            "import os\nfrom typing import Final\n\nX = os\n\n\n",
        ),
        (
            "from typing import Final\n\nX: Final = 1\n",
            "from typing import Final\n\nX: Final = 1\n\n\n",
        ),
    ],
)
def test_what_a_newer_generator_registers_in_is_brought(
    titled: Project, now: str | None, before: str
) -> None:
    huddle = titled
    huddle.fresh = fresh
    if now is not None:
        huddle.files[PurePosixPath(TITLES)] = now.encode()
    findings = huddle.check("huddle")
    assert {finding.code for finding in findings} <= {"SC101", "SC104"}
    assert {finding.fix for finding in findings} == {FIX}
    huddle.regenerate("huddle")
    entry = 'TITLES: Final = {\n    "huddle": "runtime.services.huddle.property:HuddleHandler",\n}\n'
    assert huddle.text(TITLES).startswith(before)
    assert '    "huddle": ' in huddle.text(TITLES)
    assert len(huddle.text(TITLES).split("TITLES: Final = {\n")) == 2, entry
    assert huddle.check("huddle") == []


@pytest.mark.parametrize(
    ("fresh", "now"),
    [
        (
            "def install():\n    return table(\n    )\n",
            "def install():\n    return 1\n",
        ),
        (
            "class Room:\n    TITLES = table(\n    )\n",
            "class Room:\n    OTHERS = {}\n",
        ),
        (
            "class Room:\n    def titles(self):\n        return table()\n",
            "class Room:\n    def titles(self): ...\n",
        ),
    ],
)
def test_a_place_inside_what_a_person_changed_is_refused_with_the_text_to_paste(
    huddle: Project, monkeypatch: pytest.MonkeyPatch, fresh: str, now: str
) -> None:
    new = EDIT[0]._replace(
        path=PurePosixPath(TITLES),
        place="title",
        anchor=CallArguments("table"),
        key="{kind}",
        template="edit/tests/runtime/test_registration/kind.py.j2",
    )
    monkeypatch.setattr(places, "EDIT", (*EDIT, new))
    huddle.fresh = lambda path: fresh if str(path) == TITLES else None
    huddle.files[PurePosixPath(TITLES)] = now.encode()
    before = dict(huddle.files)
    [finding] = huddle.check("huddle")
    assert (finding.code, str(finding.path), finding.fix) == ("SC101", TITLES, "")
    assert finding.message == "the call table(…): not found"
    assert finding.paste == '"huddle",'
    with pytest.raises(PlanError, match="add this by hand"):
        huddle.regenerate("huddle")
    assert huddle.files == before


def test_a_place_that_no_new_project_has_is_refused(titled: Project) -> None:
    assert titled.codes("huddle") == ["SC112"]
    with pytest.raises(PlanError, match=r"titles\.py: is missing"):
        titled.regenerate("huddle")


@pytest.fixture
def thin() -> Project:
    """A project that `scaffold init` made, with a handler."""
    files = {path: text.encode() for path, text in project_files("alerts").items()}
    project = Project(files, "alerts")
    project.fresh = functools.partial(project_file, package="alerts")
    project.create(TOML)
    return project


ROOM = "alerts/integrations"


def test_an_upgraded_project_gets_a_module_that_it_lacks(thin: Project) -> None:
    assert thin.check() == []
    before = dict(thin.files)
    thin.remove(f"{ROOM}/kinds.py")
    thin.edit(f"{ROOM}/__init__.py", "    kinds=KINDS,\n", "")
    thin.edit(
        f"{ROOM}/__init__.py", "from alerts.integrations.kinds import KINDS\n", ""
    )
    findings = thin.check()
    assert {(each.code, str(each.path)) for each in findings} == {
        ("SC104", f"{ROOM}/kinds.py"),
        ("SC101", f"{ROOM}/kinds.py"),
        ("SC101", f"{ROOM}/__init__.py"),
    }
    assert {each.fix for each in findings} == {FIX}
    # a person may have removed it
    assert not any("version of scaffold" in each.message for each in findings)
    thin.regenerate()
    assert thin.check() == []
    compile(thin.text(f"{ROOM}/__init__.py"), "", "exec")
    assert "kinds=KINDS" in thin.text(f"{ROOM}/__init__.py")
    path = PurePosixPath(f"{ROOM}/kinds.py")
    assert thin.files[path] == before[path]


def test_an_upgraded_project_gets_a_table_that_it_lacks(thin: Project) -> None:
    path = f"{ROOM}/node_handlers.py"
    text = thin.text(path)
    own = '"""Mine."""\n\nMINE = 1\n'
    thin.files[PurePosixPath(path)] = own.encode()
    assert "SC101" in thin.codes()
    thin.regenerate()
    assert thin.check() == []
    assert thin.text(path).startswith('"""Mine."""\n\n')
    assert "MINE = 1\n" in thin.text(path)
    for line in text.splitlines()[1:]:
        if line and not line.startswith("#"):
            assert line in thin.text(path).splitlines()


def test_a_person_may_put_the_tables_together_otherwise(thin: Project) -> None:
    own = "INTEGRATIONS = mine()\n"
    thin.files[PurePosixPath(f"{ROOM}/__init__.py")] = own.encode()
    assert thin.check() == []
    thin.regenerate()
    assert thin.text(f"{ROOM}/__init__.py") == own


def test_a_module_of_the_room_that_is_missing_altogether_is_made(thin: Project) -> None:
    before = dict(thin.files)
    thin.remove(ROOM)
    assert {each.fix for each in thin.check()} == {FIX}
    thin.regenerate()
    assert thin.files == before


# handlers whose spec is gone


@pytest.mark.parametrize("gone", [SPEC, "runtime/services/huddle"])
def test_what_is_left_of_a_handler_is_removed(bare: Project, gone: str) -> None:
    before = dict(bare.files)
    bare.create(TOML)
    bare.remove(gone)
    findings = bare.check()
    assert {finding.code for finding in findings} == {"SC108"}
    assert {finding.fix for finding in findings} == {REMOVE}
    bare.regenerate()
    assert bare.check() == []
    for files in (before, bare.files):
        for name in (".gitattributes", ".gitignore"):
            files.pop(PurePosixPath(".scaffold", name), None)
    assert bare.files == before


@pytest.mark.parametrize(
    ("literal", "problem"),
    [('{"huddle"}', "an empty set"), ('["huddle"', "never closed")],
)
def test_an_entry_that_cannot_be_removed_is_not_forgotten(
    bare: Project, literal: str, problem: str
) -> None:
    bare.create(TOML)
    tests = "tests/runtime/test_registration.py"
    bare.files[PurePosixPath(tests)] = f"KINDS = {literal}\n".encode()
    bare.remove(SPEC)
    before = dict(bare.files)
    findings = [each for each in bare.check("huddle") if str(each.path) == tests]
    assert [finding.code for finding in findings] == ["SC112"]
    assert problem in findings[0].message
    with pytest.raises(PlanError, match=problem):
        bare.regenerate("huddle")
    assert bare.files == before


def test_an_edited_file_of_a_handler_without_a_spec_is_kept(bare: Project) -> None:
    bare.create(TOML)
    bare.edit(SERVICE, '"""The Huddle service."""', '"""Mine."""')
    bare.remove(SPEC)
    bare.regenerate()
    left = [str(path) for path in bare.files if "huddle" in str(path)]
    assert left == [SERVICE]
    assert "huddle" not in bare.text(SERVICES)
    assert bare.check() == []


def test_an_edited_registration_keeps_what_it_needs(bare: Project) -> None:
    bare.create(TOML)
    bare.edit(
        SERVICES, 'huddle.service:Service",\n', 'huddle.service:Service" or None,\n'
    )
    bare.remove(SPEC)
    before = dict(bare.files)
    findings = bare.check()
    assert {finding.code for finding in findings} == {"SC108"}
    assert {finding.fix for finding in findings} == {f"{REMOVE} --discard-edits"}
    bare.regenerate()
    assert bare.files == before
    bare.edit(
        SERVICES,
        '    "huddle": "runtime.services.huddle.service:Service" or None,\n',
        "",
    )
    assert {finding.fix for finding in bare.check()} == {REMOVE}
    bare.regenerate()
    assert bare.check() == []
    assert "huddle" not in bare.text(SERVICES)


def test_a_record_alone_is_removed(huddle: Project) -> None:
    huddle.remove(SPEC)
    kept = {
        path: data for path, data in huddle.files.items() if ".scaffold" in path.parts
    }
    huddle.regenerate()
    huddle.files |= kept
    assert [str(finding.path) for finding in huddle.check()] == [
        ".scaffold/handlers/huddle"
    ]
    huddle.regenerate()
    assert huddle.check() == []


# documentation


DOCUMENTATION = {
    "no changelog": ("CHANGELOG.md", None, None),
    "no heading": ("CHANGELOG.md", "## Unreleased", "## 1.0"),
    "no sample": ("etc/kapacitor.conf", None, None),
    "no index": ("docs/handlers.md", None, None),
}


@pytest.mark.parametrize(
    ("path", "old", "new"), DOCUMENTATION.values(), ids=DOCUMENTATION
)
def test_a_handler_needs_no_documentation(
    bare: Project, path: str, old: str | None, new: str | None
) -> None:
    if old is None or new is None:
        bare.remove(path)
    else:
        bare.edit(path, old, new)
    before = bare.files.get(PurePosixPath(path))
    result = bare.create(TOML)
    [missing] = [
        each for each in result.outcomes if isinstance(each, DocumentationMissing)
    ]
    assert str(missing.path) == path
    assert "uddle" in missing.text
    assert bare.files.get(PurePosixPath(path)) == before
    again = bare.check("huddle")
    assert [(each.code, each.severity) for each in again] in ([], [("SC111", "info")])
    assert bare.regenerate("huddle").changes == ()


def test_a_documentation_place_can_be_switched_off(bare: Project) -> None:
    paths = ("CHANGELOG.md", "etc/kapacitor.conf")
    before = {path: bare.text(path) for path in paths}
    bare.skip = frozenset(map(PurePosixPath, paths))
    bare.create(TOML)
    assert {path: bare.text(path) for path in paths} == before
    assert bare.check() == []
    bare.skip = frozenset()
    assert bare.codes("huddle") == ["SC101"]


def test_switching_documentation_off_changes_no_file(huddle: Project) -> None:
    before = dict(huddle.files)
    huddle.skip = frozenset([PurePosixPath("docs/handlers.md")])
    assert huddle.check() == []
    huddle.regenerate()
    assert huddle.files == before


def test_no_other_place_can_be_switched_off(bare: Project) -> None:
    bare.skip = frozenset([PurePosixPath(SERVICES)])
    bare.create(TOML)
    assert '"huddle": "runtime.services.huddle.service:Service",' in bare.text(SERVICES)
