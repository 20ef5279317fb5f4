"""A project of an older format is reported by `check` and upgraded by `regenerate --all`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from scaffold import formats, state
from scaffold.branches import attributes
from scaffold.change import Change
from scaffold.errors import AnchorNotFound, UsageError
from scaffold.formats import STEPS, upgraded
from scaffold.project import FORMAT, Project, find
from scaffold.rendering.vocabulary import vocabulary_files
from scaffold.tree import DiskTree, MemoryTree, Tree

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PYPROJECT, ATTRIBUTES = PurePosixPath("pyproject.toml"), PurePosixPath(".gitattributes")
OLD = ".scaffold/** linguist-generated\n"


@pytest.fixture
def old(tmp_path: Path, run_in: Run) -> Path:
    """A project of format 2, which git merges without the driver."""
    run_in(tmp_path, "init", "alerts")
    folder = tmp_path / "alerts"
    settings = folder / PYPROJECT
    text = settings.read_text()
    assert f"format = {FORMAT}\n" in text
    settings.write_text(text.replace(f"format = {FORMAT}\n", "format = 2\n"))
    (folder / ATTRIBUTES).write_text(OLD)
    return folder


def test_there_is_a_step_from_every_format_that_can_be_upgraded() -> None:
    assert sorted(STEPS) == list(range(min(STEPS), FORMAT))


def test_an_older_project_is_upgraded(old: Path, run_in: Run) -> None:
    before = (old / PYPROJECT).read_text()
    told = run_in(old, "check", code=1).stderr
    for path in (PYPROJECT, ATTRIBUTES):
        assert f"{path} (SC114 project-outdated)" in told
    assert "scaffold regenerate --all" in told
    preview = run_in(old, "regenerate", "--all", "--dry-run", "--diff").stdout
    assert "-format = 2\n" in preview
    assert (old / ATTRIBUTES).read_text() == OLD
    run_in(old, "regenerate", "--all")
    assert (old / PYPROJECT).read_text() == before.replace(
        "format = 2\n", f"format = {FORMAT}\n"
    )
    lines = (old / ATTRIBUTES).read_text().splitlines()
    assert lines == [OLD.rstrip(), *attributes("alerts")]
    run_in(old, "new-handler", "huddle", "--field", "channel:str")
    assert "nothing to do" in run_in(old, "check").stderr


def test_handlers_are_regenerated_with_the_upgrade(old: Path, run_in: Run) -> None:
    new = (old / PYPROJECT).read_text().replace("format = 2", f"format = {FORMAT}")
    outdated = (old / PYPROJECT).read_text()
    (old / PYPROJECT).write_text(new)
    run_in(old, "new-handler", "huddle", "--field", "channel:str")
    (old / PYPROJECT).write_text(outdated)
    service = old / "alerts/services/huddle/service.py"
    text = service.read_text()
    service.unlink()
    run_in(old, "regenerate", "--all")
    assert service.read_text() == text
    assert find(old).format == FORMAT


@pytest.mark.parametrize(
    "command",
    [("new-handler", "huddle", "--field", "channel:str"), ("regenerate", "huddle")],
)
def test_nothing_else_is_written_before(
    old: Path, run_in: Run, command: tuple[str, ...]
) -> None:
    told = run_in(old, *command, code=2).stderr
    assert "format 2" in told
    assert "scaffold regenerate --all" in told


def test_every_step_that_is_due_is_made_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = PurePosixPath("steps")

    def step(tree: Tree, package: str) -> Iterator[Change]:
        now = tree.read(path)
        settings = tree.read(PYPROJECT) or b""
        yield Change(path, now, (now or b"") + settings.splitlines()[-1] + b"\n")

    monkeypatch.setattr(formats, "STEPS", {2: step, 3: step, 4: step})
    monkeypatch.setattr(formats, "FORMAT", 5)
    tree = MemoryTree({PYPROJECT: b"[tool.scaffold]\nformat = 3\n"})
    result = upgraded(Project(tmp_path, format=3), tree)
    assert {change.path: change.after for change in result.changes} == {
        path: b"format = 3\nformat = 4\n",
        PYPROJECT: b"[tool.scaffold]\nformat = 5\n",
    }


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (
            "[tool.scaffold]\nformat=2 # old\n[tool.x]\nformat = 2\n",
            "[tool.scaffold]\nformat={} # old\n[tool.x]\nformat = 2\n",
        ),
        (
            '[tool.scaffold]\r\npackage = "a"\r\n',
            '[tool.scaffold]\r\nformat = {}\r\npackage = "a"\r\n',
        ),
        ("[ tool.scaffold ] # us", "[ tool.scaffold ] # us\nformat = {}\n"),
        (
            "[tool.scaffold]\nskip = [\n  'x']\n",
            "[tool.scaffold]\nformat = {}\nskip = [\n  'x']\n",
        ),
    ],
)
def test_no_other_setting_changes(text: str, after: str, tmp_path: Path) -> None:
    tree = MemoryTree({PYPROJECT: text.encode()})
    changes = upgraded(Project(tmp_path, format=2), tree).changes
    [change] = [each for each in changes if each.path == PYPROJECT]
    assert (change.after or b"").decode() == after.format(FORMAT)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(
    "used", ["", "LIMITS: dict[str, Any] = {}\n"], ids=["", "used"]
)
def test_tables_of_classes_become_tables_of_references(
    tmp_path: Path, newline: str, used: str
) -> None:
    """Imports that the owner uses elsewhere stay."""
    path = PurePosixPath("alerts/integrations/configuration.py")
    text = f"""\
\"""Sections.\"""

from typing import Any

from alerts.services.huddle.config import Config as HuddleConfig

SECTIONS: dict[str, type[Any]] = {{"huddle": HuddleConfig}}
{used}"""
    imports = "from runtime.references import Reference"
    if used:
        imports = f"from typing import Any\n\n{imports}"
    expected = text.replace("from typing import Any", imports).replace(
        "type[Any]", "Reference"
    )
    files = {path: text, PYPROJECT: "[tool.scaffold]\nformat = 3\n"}
    encoded = {p: each.replace("\n", newline).encode() for p, each in files.items()}
    project = Project(tmp_path, "alerts", format=3)
    changes = upgraded(project, MemoryTree(encoded)).changes
    after = {change.path: change.after for change in changes}
    assert (after[path] or b"").decode() == expected.replace("\n", newline)


@pytest.mark.parametrize(
    "declaration", ["SECTIONS = {}", "SECTIONS: dict[str, object] = {}", "x = 1"]
)
def test_tables_that_are_declared_otherwise_stay(
    tmp_path: Path, declaration: str
) -> None:
    path = PurePosixPath("alerts/integrations/configuration.py")
    text = f"from typing import Any\n\n{declaration}\n".encode()
    tree = MemoryTree({path: text, PYPROJECT: b"[tool.scaffold]\nformat = 3\n"})
    changes = upgraded(Project(tmp_path, "alerts", format=3), tree).changes
    assert {change.path for change in changes} == {PYPROJECT, *vocabulary_files()}


def test_the_vocabulary_of_a_project_is_that_of_this_version(
    tmp_path: Path, run_in: Run
) -> None:
    run_in(tmp_path, "init", "alerts")
    folder = tmp_path / "alerts"
    page, schema = (folder / path for path in vocabulary_files())
    assert "### `[[request]]`" in page.read_text()
    assert "](production.md" not in page.read_text()
    assert json.loads(schema.read_text())["title"] == "Handler spec"
    text = schema.read_text()
    run_in(folder, "new-handler", "huddle", "--field", "channel:str")
    spec = folder / "alerts/services/huddle/handler.toml"
    first, *_ = spec.read_text().splitlines()
    assert (spec.parent / first.removeprefix("#:schema ")).samefile(schema)
    schema.write_text(text.replace('"title"', '"was"', 1))
    page.unlink()
    told = run_in(folder, "check", code=1).stderr
    assert "docs/spec.schema.json (SC114 project-outdated)" in told
    run_in(folder, "regenerate", "--all")
    assert schema.read_text() == text
    # lines that the owner removed are not restored
    assert not page.exists()
    assert "nothing to do" in run_in(folder, "check").stderr


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\nscaffold = {format = 2}\n",
        "[tool]\nscaffold.format = 2\n",
        "x = '''\n[tool.scaffold]\n'''\n[tool]\nscaffold.format = 2\n",
    ],
)
def test_settings_in_another_form_are_refused_with_the_line_to_paste(
    text: str, tmp_path: Path
) -> None:
    tree = MemoryTree({PYPROJECT: text.encode()})
    with pytest.raises(AnchorNotFound, match="by hand:\nformat = 2"):
        upgraded(Project(tmp_path, format=2), tree)


@pytest.mark.parametrize(
    ("format", "problem", "fix"),
    [
        (FORMAT + 1, "needs a newer scaffold", "pip install -U scaffold-alerts"),
        (1, "contains a copy of the runtime", "scaffold init ../alerts"),
    ],
)
def test_a_format_that_cannot_be_upgraded_is_refused_in_one_sentence(
    tmp_path: Path, format: int, problem: str, fix: str
) -> None:
    (tmp_path / PYPROJECT).write_text(f"[tool.scaffold]\nformat = {format}\n")
    with pytest.raises(UsageError, match=problem) as caught:
        find(tmp_path)
    assert caught.value.fix == fix


OLD_TABLES = {
    "configuration": ("config", "Config", "from typing import Any"),
    "services": (
        "service",
        "Service",
        "from runtime.integration import Service",
    ),
    "kinds": ("handler", "HandlerConfig", "from typing import Any"),
    "properties": (
        "property",
        "Handler",
        "from runtime.pipeline.handler import AlertHandler",
    ),
    "node_handlers": (
        "property",
        "Handler",
        "from runtime.pipeline.handler import AlertHandler",
    ),
}
REFERENCE = "from runtime.references import Reference"


@pytest.fixture
def of_format_3(tmp_path: Path, run_in: Run) -> tuple[Path, dict[str, str]]:
    """A project with a handler as format 3 had it, and its tables as they are now."""
    run_in(tmp_path, "init", "alerts")
    folder = tmp_path / "alerts"
    run_in(folder, "new-handler", "huddle", "--field", "channel:str")
    tree = DiskTree(folder)
    record = state.read(tree, "huddle")
    assert record is not None
    edits = {id: text for id, text in record.places.items() if ".py " in id}
    now, recorded = {}, dict(record.places)
    for name, (module, suffix, imported) in OLD_TABLES.items():
        file = folder / f"alerts/integrations/{name}.py"
        text = now[name] = file.read_text()
        word, class_ = imported.rpartition(" ")[2], f"Huddle{suffix}"
        alias = "" if module == "property" else f"{suffix} as "
        line = f"from alerts.services.huddle.{module} import {alias}{class_}\n"
        [(id, entry)] = [each for each in edits.items() if f"/{name}.py " in each[0]]
        old = f'"huddle": {class_},\n'
        assert entry in text
        text = text.replace(REFERENCE, f"{imported}\n\n{line.rstrip()}")
        text = text.replace(entry, old)
        file.write_text(text.replace("[str, Reference]", f"[str, type[{word}]]"))
        recorded[id] = old
        key = f"alerts.services.huddle.{module}:{class_}"
        recorded[f"alerts/integrations/{name}.py import {key}"] = line
    state_file = folder / state.path("huddle")
    state_file.write_text(state.text(record._replace(places=recorded)))
    settings = folder / PYPROJECT
    settings.write_text(settings.read_text().replace(f"= {FORMAT}\n", "= 3\n"))
    return folder, now


def tables(folder: Path) -> dict[str, str]:
    return {
        name: (folder / f"alerts/integrations/{name}.py").read_text()
        for name in OLD_TABLES
    }


def test_registrations_of_format_3_become_references(
    of_format_3: tuple[Path, dict[str, str]], run_in: Run
) -> None:
    folder, now = of_format_3
    told = run_in(folder, "check", code=1).stderr
    assert "alerts/integrations/services.py (SC114 project-outdated)" in told
    run_in(folder, "regenerate", "--all", "--verify", "import")
    assert tables(folder) == now
    assert "nothing to do" in run_in(folder, "check").stderr


def test_edits_of_registrations_are_kept_with_their_imports(
    of_format_3: tuple[Path, dict[str, str]], run_in: Run
) -> None:
    folder, now = of_format_3
    services = folder / "alerts/integrations/services.py"
    mine = services.read_text().replace(
        '"huddle": HuddleService,', '"huddle": HuddleService or None,'
    )
    services.write_text(mine)
    kinds = folder / "alerts/integrations/kinds.py"
    own = "from alerts.own import Mine\n"
    entries = '    "mine": Mine,\n    "huddle"'
    text = kinds.read_text().replace("from alerts.serv", own + "from alerts.serv")
    kinds.write_text(text.replace('    "huddle"', entries))
    told = run_in(folder, "regenerate", "--all", code=3).stderr
    assert "alerts/integrations/services.py" in told
    run_in(folder, "regenerate", "--all", "--on-conflict", "mine")
    after = tables(folder)
    line = "from alerts.services.huddle.service import Service as HuddleService\n"
    assert line in after["services"]
    assert '"huddle": HuddleService or None,' in after["services"]
    assert after["kinds"] == now["kinds"].replace(
        f"{REFERENCE}\n", f"{REFERENCE}\n\n{own}"
    ).replace('    "huddle"', entries)
    rest = {"configuration", "properties", "node_handlers"}
    assert {name: after[name] for name in rest} == {name: now[name] for name in rest}
