"""Upgrades of edited integrations that need a person: scaffold beside Copier.

    python bench/upgrades.py [--handlers 40] [--seed 10]

Each integration is edited by hand in three of eight ways: a method inserted, a test deleted,
a method changed, a method moved, the files laid out by black, by ruff or by isort with
settings of one's own, CRLF. Then all are taken through a change of templates, a change of
their specs, and a rename.

A second project without edits gives the texts that are generated at each step. They are the
versions of a Copier template, verbatim, so `copier update` has the same to merge. Copier and
isort are installed from the registry in a virtual environment for this run; git is needed.

A person is needed for an integration with a conflict in a file of its own. Before the next
step each conflict is settled with the person's side. An edit is lost if it is not in the
integration's files afterwards, and not in a conflict either. "Same member" counts the
integrations in which both sides changed one method, function, class head or variable.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scaffold import project
from scaffold.commands.change import ChangeOptions
from scaffold.commands.init import init
from scaffold.commands.override import override
from scaffold.commands.regenerate import regenerate
from scaffold.commands.rename_handler import rename_handler
from scaffold.flags import Flags
from scaffold.spec.parse import from_flags

SPECS = Path(__file__).parent.parent / "tests/scaffold/specs/apis"
PACKAGE = "alerts"
FIELDS = (
    ("room:str",),
    ("channel:str", "token:secret"),
    ("list:list[str]", "silent:bool"),
)
CREATE = "create/runtime/services/KIND/service.py.j2"
TESTS = "create/tests/runtime/services/KIND/test_KIND_service.py.j2"
PAGE = "create/docs/handlers/KIND.md.j2"
NEW_TEMPLATES = {
    CREATE: ("Return the default options of a handler.", "Return the defaults."),
    TESTS: ("server.received.empty()", "server.received.qsize() == 0"),
    PAGE: ("Send a test message with", "Try"),
}
"""The templates that change, each with a piece and its replacement."""

MARKED = re.compile(
    r"<<<<<<< [^\n]*\n(.*?)(?:\|\|\|\|\|\|\| [^\n]*\n.*?)?=======\r?\n.*?>>>>>>> [^\n]*\n",
    re.DOTALL,
)
LEFT_OUT = {".git", ".scaffold", "templates", "__pycache__"}
WAYS = ("insert", "delete", "change", "move", "black", "ruff", "isort", "CRLF")
TOOLS = {
    "black": ["black", "-q", "-l", "72", "-C"],
    "ruff": [
        "ruff",
        "format",
        "-q",
        "--no-cache",
        "--isolated",
        "--line-length",
        "100",
    ],
    "isort": ["isort", "-q", "--sl", "-l", "72"],
}
STEPS = ("template changed", "spec changed", "renamed")


class Count(NamedTuple):
    """The results of one step for all integrations.

    Attributes:
        needed: number of integrations that needed a person.
        lost: number of lost edits.
        seconds: time that the commands took.
    """

    needed: int
    lost: int
    seconds: float


class Edit(NamedTuple):
    """One way in which an integration was edited.

    Attributes:
        way: one of `WAYS`.
        mark: a word that the edit added, or the name that it moved or deleted.
    """

    way: str
    mark: str

    def is_lost(self, service: str, tests: str, behind: str) -> bool:
        """True if an edit is not in the files of an integration.

        Args:
            service: its service.
            tests: its tests.
            behind: the text that was left under its former name.
        """
        match self.way:
            case "insert" | "change":
                return self.mark not in service + behind
            case "delete":
                return f"def {self.mark}(" in tests
            case "move":
                own = service.partition("class Service(")[2]
                return re.findall(r"    def (\w+)", own)[:1] != [self.mark]
            case "CRLF":
                return "\n" in service.replace("\r\n", "")
        return False


class Integration(NamedTuple):
    """One integration.

    Attributes:
        kind: its name.
        edits: the hand edits.
    """

    kind: str
    edits: tuple[Edit, ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of its own files."""
        return (
            f"{PACKAGE}/services/{self.kind}",
            f"docs/handlers/{self.kind}.md",
            f"examples/{self.kind}",
            f"tests/{PACKAGE}/services/{self.kind}",
        )

    def files(self, root: Path) -> Iterator[Path]:
        """Its own files in a project."""
        for folder in map(root.joinpath, self.folders):
            found = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
            yield from (file for file in found if file.is_file())

    def service(self, root: Path) -> Path:
        """The module of its service."""
        return root / self.folders[0] / "service.py"

    def tests(self, root: Path) -> Path:
        """The module of its tests."""
        return root / self.folders[-1] / f"test_{self.kind}_service.py"


class Bench:
    """Three projects: one without edits, and two with the same edits.

    Attributes:
        plain: the one without edits.
        ours: the one that scaffold upgrades.
        theirs: the one that Copier upgrades.
    """

    def __init__(
        self, folder: Path, tools: Path, chance: random.Random, count: int
    ) -> None:
        self.plain, self.ours = folder / "plain", folder / "scaffold"
        self.theirs, self._template = folder / "copier", folder / "template"
        self._tools = tools / "bin"
        self._chance = chance
        self._count = count
        self._version = self._marks = 0
        self._all: list[Integration] = []

    def run(self) -> None:
        """Take both through all steps, and print a table."""
        self._install()
        init(self.plain, PACKAGE, dry_run=False, shown="plain")
        kinds = [self._described(number) for number in range(self._count)]
        regenerate(project.find(self.plain), (), ChangeOptions())
        shutil.copytree(self.plain, self.ours)
        self._publish()
        self._copier("copy", "--defaults", "-r", "v1", self._template, self.theirs)
        _git(self.theirs, "init", "-q")
        self._all = [self._edited(kind) for kind in kinds]
        _commit(self.theirs, "edited")
        print("| step | same member | tool | needed a person | edits lost | seconds |")
        print("|---|---|---|---|---|---|", flush=True)
        for step in STEPS:
            self._step(step)

    def _install(self) -> None:
        if (self._tools / "isort").exists():
            return
        _run([sys.executable, "-m", "venv", self._tools.parent], self.plain.parent)
        _run(
            [self._tools / "pip", "install", "-q", "copier", "isort"], self.plain.parent
        )

    def _described(self, number: int) -> str:
        """Describe an integration: specs of real services, then some from flags."""
        specs = sorted(SPECS.glob("*.toml"))
        if number < len(specs):
            text = specs[number].read_text()
            kind = tomllib.loads(text)["handler"]["name"]
        else:
            kind = f"chat{number}"
            text = _from_flags(kind, FIELDS[number % len(FIELDS)])
        folder = self.plain / PACKAGE / "services" / kind
        folder.mkdir(parents=True)
        (folder / "handler.toml").write_text(text)
        return str(kind)

    def _edited(self, kind: str) -> Integration:
        """Edit an integration in three ways, in both projects alike."""
        plain = Integration(kind, ())
        edits = []
        for way in sorted(self._chance.sample(WAYS, 3), key=WAYS.index):
            mark = self._edit(way, plain)
            edits.append(Edit(way, mark))
        for file in plain.files(self.ours):
            target = self.theirs / file.relative_to(self.ours)
            target.write_bytes(file.read_bytes())
        return Integration(kind, tuple(edits))

    def _edit(self, way: str, of: Integration) -> str:
        """Edit an integration, and return the mark of the edit."""
        service, tests = of.service(self.ours), of.tests(self.ours)
        modules = [file for file in of.files(self.ours) if file.suffix == ".py"]
        if way in TOOLS:
            tool, *options = TOOLS[way]
            folder = self._tools if way == "isort" else Path(sys.executable).parent
            _run([folder / tool, *options, *modules], self.ours)
            return ""
        if way == "CRLF":
            for file in of.files(self.ours):
                data = file.read_bytes().replace(b"\r\n", b"\n")
                file.write_bytes(data.replace(b"\n", b"\r\n"))
            return ""
        if way == "delete":
            found = [
                each for each in _functions(tests) if each.name.startswith("test_")
            ]
            chosen = self._chance.choice(found)
            _replace(tests, chosen, [])
            return chosen.name
        methods = _functions(service)
        if way == "move":
            first, last = methods[0], methods[-1]
            lines = _lines(service)[_first(last) : last.end_lineno]
            _replace(service, last, [])
            _insert(service, _first(first), [*lines, ""])
            return last.name
        self._marks += 1
        mark = f"mine_{self._marks}"
        chosen = self._chance.choice(methods)
        if way == "insert":
            added = [
                f"    def {mark}(self) -> str:",
                '        """Mine."""',
                "        return self.kind",
            ]
            _insert(service, chosen.end_lineno or 0, ["", *added])
        else:
            body = chosen.body[min(1, len(chosen.body) - 1)]
            _insert(service, body.lineno - 1, [f"        {mark} = 1"])
        return mark

    def _step(self, step: str) -> None:
        """Upgrade all three, and print the results for the edited ones."""
        before = self._members(self.plain), self._members(self.ours)
        former = self._all
        if step == "template changed":
            self._change_templates()
        elif step == "spec changed":
            self._change_specs()
        else:
            self._all = [each._replace(kind=f"{each.kind}_x") for each in former]
        ours = self._with_scaffold(former)
        after = self._members(self.plain)
        both = sum(map(_is_in_both, *before, after))
        self._publish()
        theirs = self._with_copier(former)
        for tool, count in (("scaffold", ours), ("copier", theirs)):
            print(
                f"| {step} | {both} | {tool} | {count.needed} | {count.lost}"
                f" | {count.seconds:.0f} |",
                flush=True,
            )

    def _members(self, root: Path) -> list[dict[str, str]]:
        """The members of the modules of each integration."""
        found = []
        for each in self._all:
            members: dict[str, str] = {}
            for file in each.files(root):
                if file.suffix == ".py":
                    name = file.name.replace(each.kind, "")
                    members |= _members(
                        name, file.read_text().replace(each.kind, "KIND")
                    )
            found.append(members)
        return found

    def _change_templates(self) -> None:
        """Override templates in both projects; then they are changed."""
        for root in (self.plain, self.ours):
            found = project.find(root)
            override(found, list(NEW_TEMPLATES), ChangeOptions(), "fail")
            for name, (old, new) in NEW_TEMPLATES.items():
                file = root / "templates" / name
                assert old in file.read_text(), f"{name}: choose another piece"
                file.write_text(file.read_text().replace(old, new))

    def _change_specs(self) -> None:
        """Change all titles, and add a field to specs that were made of flags."""
        for root in (self.plain, self.ours):
            for each in self._all:
                file = root / each.folders[0] / "handler.toml"
                text = file.read_text()
                if number := re.fullmatch(r"chat(\d+)", each.kind):
                    fields = FIELDS[int(number[1]) % len(FIELDS)]
                    text = _from_flags(each.kind, (*fields, "priority:int"))
                pattern, title = r'(?m)^title = "(.*)"', r'title = "\1 Cloud"'
                file.write_text(re.sub(pattern, title, text, count=1))

    def _with_scaffold(self, former: Sequence[Integration]) -> Count:
        """Upgrade with scaffold, and settle conflicts."""
        seconds, needed = 0.0, set[str]()
        commands = [["regenerate", "--all"]]
        if former != self._all:
            commands = [
                ["rename-handler", old.kind, new.kind]
                for old, new in zip(former, self._all, strict=True)
            ]
        for command in commands:
            self._upgrade_plain(command)
            started = time.perf_counter()
            report = _scaffold([*command, "--allow-dirty"], self.ours)
            seconds += time.perf_counter() - started
            conflicts = report["conflicts"]
            needed |= {_owner(path, [*former, *self._all]) for path in conflicts}
            if conflicts:
                _scaffold(
                    [*command, "--allow-dirty", "--on-conflict", "mine"], self.ours
                )
        return Count(len(needed), self._lost(self.ours, former), seconds)

    def _upgrade_plain(self, command: Sequence[str]) -> None:
        """Upgrade the project without edits."""
        found = project.find(self.plain)
        if command[0] == "regenerate":
            regenerate(found, (), ChangeOptions())
        else:
            rename_handler(found, *command[1:], how=ChangeOptions())

    def _publish(self) -> None:
        """Publish the newly generated text as a version of the Copier template."""
        shutil.rmtree(self._template / "files", ignore_errors=True)
        for file in self.plain.rglob("*"):
            path = file.relative_to(self.plain)
            if file.is_file() and not LEFT_OUT & {*path.parts}:
                target = self._template / "files" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        answers = "{{ _copier_conf.answers_file }}.jinja"
        text = "{{ _copier_answers|to_nice_yaml }}\n"
        (self._template / "files" / answers).write_text(text)
        (self._template / "copier.yml").write_text("_subdirectory: files\n")
        self._version += 1
        if self._version == 1:
            _git(self._template, "init", "-q")
        _commit(self._template, "next")
        _git(self._template, "tag", f"v{self._version}")

    def _with_copier(self, former: Sequence[Integration]) -> Count:
        """Upgrade with Copier, and settle conflicts."""
        started = time.perf_counter()
        version = f"v{self._version}"
        self._copier(
            "update", "--defaults", "--conflict", "inline", "-r", version, self.theirs
        )
        seconds = time.perf_counter() - started
        needed = 0
        for old, new in zip(former, self._all, strict=True):
            names = {*old.files(self.theirs), *new.files(self.theirs)}
            marked = [file for file in sorted(names) if _settled(file)]
            left = old != new and any(old.files(self.theirs))
            needed += bool(marked or left)
        lost = self._lost(self.theirs, former)
        for file in self.theirs.rglob("*"):
            if file.is_file() and ".git" not in file.parts:
                _settled(file)
        _commit(self.theirs, version)
        return Count(needed, lost, seconds)

    def _copier(self, command: str, *arguments: object) -> None:
        _run([self._tools / "copier", command, "-q", *arguments], self._template)

    def _lost(self, root: Path, former: Sequence[Integration]) -> int:
        """The number of edits that are missing from the files of their integrations."""
        lost = 0
        for old, new in zip(former, self._all, strict=True):
            texts = [_text(file) for file in (new.service(root), new.tests(root))]
            behind = _text(old.service(root)) if old != new else ""
            lost += sum(edit.is_lost(*texts, behind) for edit in new.edits)
        return lost


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--handlers", type=int, default=40)
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--tools", type=Path, help="the environment, to be used again")
    asked = parser.parse_args()
    # settings of git on this machine stay out of it
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for who in ("AUTHOR", "COMMITTER"):
        os.environ |= {
            f"GIT_{who}_NAME": "bench",
            f"GIT_{who}_EMAIL": "bench@localhost",
        }
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root, chance = Path(folder), random.Random(asked.seed)
        tools = (asked.tools or root / "venv").absolute()
        Bench(root, tools, chance, asked.handlers).run()


def _from_flags(kind: str, fields: Sequence[str]) -> str:
    return from_flags(Flags(kind, fields=tuple(fields), title=kind.title())).to_toml()


def _members(module: str, text: str) -> dict[str, str]:
    """The syntax of each member of a module, by name; imports and docstrings are none."""
    found: dict[str, str] = {}

    def walk(body: Sequence[ast.stmt], above: str) -> None:
        for at, node in enumerate(body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            name = getattr(node, "name", "") or ast.unparse(
                getattr(node, "target", node)
            )
            name = f"{above}.{name}"
            if isinstance(node, ast.ClassDef):
                walk(node.body, name)
                node.body = []
            found[f"{name} {at}" if name in found else name] = ast.dump(node)

    walk(ast.parse(text).body, module)
    return found


def _is_in_both(
    base: dict[str, str], mine: dict[str, str], new: dict[str, str]
) -> bool:
    """True if one member was changed differently on both sides."""
    return any(
        len({base.get(name), mine.get(name), new.get(name)}) == 3
        for name in {*base, *mine, *new}
    )


def _owner(path: str, integrations: Sequence[Integration]) -> str:
    """The integration that a file belongs to; the file itself if it is shared."""
    for each in integrations:
        if any(f"{path}/".startswith(f"{folder}/") for folder in each.folders):
            return each.kind.removesuffix("_x")
    return path


def _settled(file: Path) -> bool:
    """Settle the conflicts in a file with the person's side; True if it had any."""
    if file.suffix == ".rej":
        file.unlink()
        return True
    text = _text(file)
    settled = MARKED.sub(r"\1", text)
    if settled != text:
        file.write_bytes(settled.encode())
    return settled != text


def _text(file: Path) -> str:
    return file.read_bytes().decode() if file.is_file() else ""


def _lines(file: Path) -> list[str]:
    return _text(file).split("\n")


def _functions(file: Path) -> list[ast.FunctionDef]:
    """The functions of a test module, or the methods of the last class of another."""
    body = ast.parse(_text(file)).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    if classes and not file.name.startswith("test_"):
        body = classes[-1].body
    return [node for node in body if isinstance(node, ast.FunctionDef)]


def _first(node: ast.FunctionDef) -> int:
    """The line of a function, from 0, decorators included."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1


def _replace(file: Path, node: ast.FunctionDef, lines: Sequence[str]) -> None:
    """Replace a function, and the blank lines above it if nothing comes instead."""
    text = _lines(file)
    first = _first(node)
    while not lines and first and not text[first - 1].strip():
        first -= 1
    text[first : node.end_lineno] = lines
    file.write_bytes("\n".join(text).encode())


def _insert(file: Path, line: int, lines: Sequence[str]) -> None:
    text = _lines(file)
    text[line:line] = lines
    file.write_bytes("\n".join(text).encode())


def _scaffold(arguments: Sequence[str], root: Path) -> dict[str, Any]:
    """The report of a command of scaffold; conflicts may remain."""
    command = [sys.executable, "-P", "-m", "scaffold", *arguments, "--json"]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _git(root: Path, *arguments: str) -> None:
    _run(["git", *arguments], root)


def _commit(root: Path, message: str) -> None:
    _git(root, "add", "-A", "-f")
    _git(root, "commit", "-q", "--allow-empty", "-m", message)


def _run(command: Sequence[object], folder: Path) -> None:
    words = list(map(str, command))
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
