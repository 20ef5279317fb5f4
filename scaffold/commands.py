"""What each command does, as a report; `cli.py` prints it."""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import runtime
from scaffold import check as checking
from scaffold import (
    check_cache,
    checkout,
    disk,
    places,
    recovery,
    state,
    testing,
    verify,
)
from scaffold.edits import edits
from scaffold.errors import Fault, MarkersLeft, SpecError, UsageError
from scaffold.escaping import escaped
from scaffold.flags import Flags
from scaffold.generate import ChangeSet, Fresh, generate, generate_all
from scaffold.markers import refuse_markers
from scaffold.names import closest
from scaffold.outcomes import DocumentationMissing, Identical, Outcome
from scaffold.patching.outcomes import AlreadyRegistered
from scaffold.project import Project
from scaffold.refusal import refuse
from scaffold.report import Report, patch
from scaffold.spec.model import HandlerSpec
from scaffold.spec.parse import differences, from_flags, parse
from scaffold.tree import DiskTree, Overlay, Tree, WatchedTree
from scaffold.wanted import Wanted, nothing, wanted

_MAX_SPEC_BYTES = 65_536
_RUNTIME = Path(runtime.__file__).parent
_MODULES = (*SOURCE_SUFFIXES, ".pyi", *EXTENSION_SUFFIXES)


class How(NamedTuple):
    """How a command that changes files does so.

    Attributes:
        dry_run: only tell.
        diff: print the whole patch.
        verify: `none` (only compile), `import` or `tests`.
        exit_code: end with 1 if a dry run would change something.
    """

    dry_run: bool = False
    diff: bool = False
    verify: str = "none"
    exit_code: bool = False


def new_handler(project: Project, flags: Flags, spec_file: str, how: How) -> Report:
    """Generate a handler, or find that it is there as described."""
    tree = DiskTree(project.root)
    refuse_markers(tree, project.package)
    kinds = checking.kinds(tree, project.package)
    text = _spec_text(spec_file, flags) if spec_file else ""
    name = _name_in(text) if spec_file else flags.name
    if name in kinds:
        spec = parse(text, spec_file) if spec_file else _flags_spec(flags)
        return _existing(project, tree, spec)
    if spec_file:
        properties = _properties(project, tree)
        spec = parse(text, spec_file, existing=kinds, properties=properties)
        _refuse_service(project, tree, spec)
    else:
        spec = described(project, flags)
    report = _change(
        "new-handler",
        project,
        lambda tree: _generated(project, tree, spec),
        how,
        _after_new(project, spec),
    )
    report.notes += spec.warnings
    return report


def described(project: Project, flags: Flags) -> HandlerSpec:
    """The spec that flags describe, for a new handler of a project.

    Raises:
        SpecError: there cannot be such a handler.
    """
    tree = DiskTree(project.root)
    existing, properties = kinds(project), _properties(project, tree)
    spec = _flags_spec(flags, existing, properties)
    _refuse_service(project, tree, spec)
    return spec


def kinds(project: Project) -> list[str]:
    """The handlers of a project."""
    return checking.kinds(DiskTree(project.root), project.package)


def regenerate(project: Project, names: Sequence[str], how: How) -> Report:
    """Bring handlers to what their specs and the templates say now.

    What is left of a handler whose spec was removed is removed too.
    """
    tree = _seen(project, DiskTree(project.root))
    refuse_markers(tree, project.package)
    wants = _wants(project, tree, names)
    specs = [_committed(project, tree, want.kind) for want in wants if not want.is_gone]

    def generated(tree: Tree) -> ChangeSet:
        seen = _seen(project, tree)
        result = generate_all(_wants(project, seen, names), seen, _fresh(project))
        made_up = seen.files if isinstance(seen, Overlay) else {}
        changes = [each for each in result.changes if each.path not in made_up]
        result = result._replace(changes=tuple(changes))
        return refuse(result, " ".join(names))

    report = _change("regenerate", project, generated, how, [])
    report.notes += [each for spec in specs for each in spec.warnings]
    return report


def check(project: Project, names: Sequence[str]) -> Report:
    """Compare what is there with what would be generated."""
    tree = WatchedTree(DiskTree(project.root))
    tree.read(PurePosixPath("pyproject.toml"))
    try:
        refuse_markers(tree, project.package)
        seen = _seen(project, tree)
        wants = _wants(project, seen, names)
        findings = [
            finding
            for want in wants
            for finding in checking.examined(want, seen, _fresh(project))
        ]
        examined = sum(not want.is_gone for want in wants)
    except MarkersLeft as error:
        examined = len(_chosen(project, tree, names))
        findings = [
            checking.Finding("SC113", path, line, "holds a conflict marker", error.fix)
            for path, line in error.lines.items()
        ]
    report = _verdict(findings, examined)
    if not names and report.exit_code == 0:
        _remember(project, report.summary, tree)
    return report


def _verdict(findings: list[checking.Finding], examined: int) -> Report:
    wrong = [finding for finding in findings if not finding.is_informational]
    noun = "handler" if examined == 1 else "handlers"
    verdict = f"{len(wrong)} wrong" if wrong else "nothing to do"
    edited = [finding for finding in findings if finding.code in {"SC103", "SC105"}]
    if edited:
        verdict += f" ({len(edited)} edited by hand; scaffold diff shows them)"
    return Report(
        "check",
        exit_code=1 if wrong else 0,
        findings=findings,
        summary=f"{examined} {noun} examined, {verdict}",
        next=list(dict.fromkeys(finding.fix for finding in wrong if finding.fix)),
        extra={"examined": examined},
    )


def _remember(project: Project, verdict: str, tree: WatchedTree) -> None:
    """Keep a clean verdict with everything that it depends on."""
    from scaffold.rendering.render import templates_path

    here = Path(__file__).parent
    ours = [*here.rglob("*.py"), *templates_path().rglob("*.j2")]
    inputs = [*tree.seen, "pyproject.toml", *map(str, ours)]
    check_cache.remember(str(project.root), verdict, inputs)


def diff(project: Project, names: Sequence[str]) -> Report:
    """What people changed in generated code: from the generated text to theirs."""
    tree = DiskTree(project.root)
    wants = _wants(project, tree, names)
    changes = edits([generate(want, tree) for want in wants], tree)
    text = patch(tuple(changes), whole=True)
    noun = "file" if len(changes) == 1 else "files"
    return Report(
        "diff",
        exit_code=1 if changes else 0,
        output=text,
        summary=f"{len(changes)} {noun} edited" if changes else "nothing was edited",
        extra={"diff": text},
    )


def recover(project: Project, choice: recovery.Choice) -> Report:
    """Finish what an interrupted command left."""
    was_there = recovery.recover(project.root, choice)
    done = {"": "recovered", "continue": "completed", "abort": "undone"}[choice]
    return Report(
        "recover",
        summary=f"interrupted command {done}" if was_there else "nothing to recover",
        next=["scaffold check"] if was_there else [],
    )


def list_handlers(project: Project, *, verbose: bool) -> Report:
    """The handlers of a project."""
    tree = DiskTree(project.root)
    rows = []
    handlers = []
    for kind in checking.kinds(tree, project.package):
        spec = _committed(project, tree, kind)
        rows.append((kind, f".{spec.names.property}()", spec.title, spec.summary))
        files = [str(file.path) for file in places.files(spec.names, project.package)]
        if verbose:
            rows += [("", path, "", "") for path in files]
        handlers.append(
            {
                "kind": kind,
                "property": spec.names.property,
                "title": spec.title,
                "flags": list(spec.flags),
                "spec": str(places.spec_path(kind, project.package)),
                "files": files,
            }
        )
    noun = "handler" if len(handlers) == 1 else "handlers"
    return Report(
        "list",
        output=_table(rows),
        summary=f"{len(handlers)} {noun}",
        extra={"handlers": handlers},
    )


def _generated(project: Project, tree: Tree, spec: HandlerSpec) -> ChangeSet:
    result = generate(_want(project, spec), tree, _fresh(project))
    return refuse(result, spec.names.kind)


def _change(
    command: str,
    project: Project,
    generated: Callable[[Tree], ChangeSet],
    how: How,
    next_steps: list[str],
) -> Report:
    """Make a change set and put it on the disk, unless this is a dry run."""
    root = project.root
    note = ""
    if how.dry_run:
        result = generated(DiskTree(root))
        verify.compiles(result.changes, result.shared)
    else:
        with recovery.locked(root):
            result = generated(DiskTree(root))
            _verify(project, result, how.verify)
            note = disk.apply(root, result.changes)
    report = Report(command, result=result, dry_run=how.dry_run, next=next_steps)
    report.notes += [note] if note else []
    report.notes += _to_paste(result)
    if how.dry_run or how.diff:
        report.output = patch(result.changes, whole=how.diff)
        report.extra["diff"] = report.output
    if how.dry_run and how.exit_code and result.changes:
        report.exit_code = 1
    return report


def _to_paste(result: ChangeSet) -> Iterator[str]:
    """The text to add to documentation by hand where its place is missing."""
    for each in result.outcomes:
        if isinstance(each, DocumentationMissing) and each.error is not None:
            skip = f'skip = ["{each.path}"]'
            text = each.text.strip("\n")
            yield (
                f"{each.path}: {each.error.problem.partition(chr(10))[0]}, so the handler "
                f"was generated without it. Add there by hand, or set {skip} under "
                f"[tool.scaffold]:\n{text}"
            )


def _verify(project: Project, result: ChangeSet, level: str) -> None:
    verify.compiles(result.changes, result.shared)
    if level == "none" or not result.changes:
        return
    verify.imports(project.root, result.changes, project.package)
    if level == "tests":
        tests = [
            str(change.path)
            for change in result.changes
            if change.path.parts[0] == "tests" and change.path.suffix == ".py"
        ]
        verify.tests_pass(project.root, result.changes, tests)


def _existing(project: Project, tree: Tree, spec: HandlerSpec) -> Report:
    """The handler is there: agree with it, or say how to change it."""
    kind = spec.names.kind
    path = places.spec_path(kind, project.package)
    unlike = differences(spec, _committed(project, tree, kind))
    if unlike:
        lines = "\n".join(f"  {escaped(line)}" for line in unlike)
        raise UsageError(
            f"the handler `{kind}` exists already, and differs:\n{lines}\n"
            f"To change it, edit {path}, then regenerate.",
            fix=f"scaffold regenerate {kind}",
        )
    record = state.read(tree, kind)
    outcomes: list[Outcome] = [
        Identical(file) for file in (record.files if record else [path])
    ]
    outcomes += [
        AlreadyRegistered(place)
        for place in places.places(spec.names, project.package)
        if record and place.id in record.places
    ]
    return Report(
        "new-handler",
        result=ChangeSet((), tuple(outcomes)),
        summary=f"nothing to do: `{kind}` is there as described,",
        next=[f"scaffold check {kind}"],
    )


def _after_new(project: Project, spec: HandlerSpec) -> list[str]:
    kind = spec.names.kind
    tests = places.within("tests/runtime/services/{kind}", project.package, kind)
    return [
        *testing.commands(project.root, str(tests)),
        f"$EDITOR {places.spec_path(kind, project.package)}",
        f"scaffold regenerate {kind}",
    ]


def _refuse_service(project: Project, tree: Tree, spec: HandlerSpec) -> None:
    """Refuse a name under which another module can be imported already."""
    services, name = places.services(project.package), spec.names.package
    modules = [
        services / entry
        for entry in tree.names(services)
        if entry.casefold() in {f"{name}{suffix}" for suffix in _MODULES}
    ]
    if _has_modules(tree, services / name):
        modules.append(services / name)
    if modules:
        problem = f"there is a module of this name already: {modules[0]}"
        raise SpecError([Fault("handler.name", problem)])
    # its own handlers and those of the runtime are registered together
    if project.package != "runtime" and (_RUNTIME / "services" / name).is_dir():
        problem = f"the runtime has a service {name!r} already"
        raise SpecError([Fault("handler.name", problem)])


def _has_modules(tree: Tree, folder: PurePosixPath) -> bool:
    """True if a folder is a package; compiled files that were left over make none."""
    names = [name for name in tree.names(folder) if name != "__pycache__"]
    return any(
        name.endswith(_MODULES) or _has_modules(tree, folder / name) for name in names
    )


def _properties(project: Project, tree: Tree) -> list[str]:
    """The TICKscript properties of all handlers, as they are recorded."""
    path = places.within("runtime/integrations/properties.py", project.package)
    name = f"{path} property "
    return [
        place.removeprefix(name)
        for kind in state.kinds(tree)
        for place in state.places(tree, kind)
        if place.startswith(name)
    ]


def _name_in(text: str) -> str:
    """The handler's name in a spec that is not checked yet, or ""."""
    try:
        name = tomllib.loads(text)["handler"]["name"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""


def _flags_spec(
    flags: Flags, kinds: Sequence[str] = (), properties: Sequence[str] = ()
) -> HandlerSpec:
    """The spec that flags describe, beside handlers of these names."""
    if not flags.name:
        raise UsageError(
            "NAME or --spec FILE is required (fields: --field NAME:TYPE)",
            fix="scaffold new-handler huddle --field channel:str",
        )
    return from_flags(flags, existing=kinds, properties=properties)


def _spec_text(spec_file: str, flags: Flags) -> str:
    if flags != Flags(flags.name):
        raise UsageError(
            "--spec cannot be combined with flags that describe the handler"
        )
    data = _spec_bytes(spec_file)
    if len(data) > _MAX_SPEC_BYTES:
        raise UsageError(f"{spec_file}: is larger than 64 KiB")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"{spec_file}: is not UTF-8 text") from None
    name = _name_in(text)
    if flags.name and name and name != flags.name:
        raise UsageError(
            f"{spec_file}: describes the handler {name!r}, not {flags.name!r}"
        )
    return text


def _spec_bytes(spec_file: str) -> bytes:
    if spec_file == "-":
        return sys.stdin.buffer.read(_MAX_SPEC_BYTES + 1)
    file = Path(spec_file)
    try:
        # A device or a pipe may never end.
        if file.exists() and not file.is_file():
            raise UsageError(f"{spec_file}: is not a file")
        with file.open("rb") as stream:
            return stream.read(_MAX_SPEC_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{spec_file}: {error.strerror}") from error
    except ValueError:
        raise UsageError(f"{spec_file!r}: is not a path") from None


def _want(project: Project, spec: HandlerSpec) -> Wanted:
    from scaffold.rendering.render import render

    styled = functools.partial(render, style=project.style)
    return wanted(spec, project.package, styled, project.skip)


def _fresh(project: Project) -> Fresh:
    """Gives the modules that an older project lacks; the runtime itself lacks none."""
    if project.package == "runtime":
        return lambda path: None
    from scaffold import starting

    return functools.cache(
        functools.partial(starting.project_file, package=project.package)
    )


def _wants(project: Project, tree: Tree, names: Sequence[str]) -> list[Wanted]:
    """The wanted state of the handlers that a command is about."""
    with_spec = checking.kinds(tree, project.package)
    wants = [
        (
            _want(project, _committed(project, tree, kind))
            if kind in with_spec
            else nothing(kind, project.package)
        )
        for kind in _chosen(project, tree, names)
    ]
    if checkout.is_merging(project.root):
        return [checkout.restored(want, tree) for want in wants]
    return wants


def _seen(project: Project, tree: Tree) -> Tree:
    """The tree that handlers are looked for in."""
    if checkout.is_merging(project.root):
        return checkout.with_removed(tree, project.package)
    return tree


def _committed(project: Project, tree: Tree, kind: str) -> HandlerSpec:
    path = places.spec_path(kind, project.package)
    data = tree.read(path)
    if data is None:
        raise UsageError(f"{escaped(str(path))}: is missing")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise SpecError([Fault("", "is not UTF-8 text")], str(path)) from None
    spec = parse(text, str(path))
    if spec.names.kind != kind:
        problem = f"must be {kind!r}, like its folder"
        raise SpecError([Fault("handler.name", problem)], str(path))
    return spec


def _chosen(project: Project, tree: Tree, names: Sequence[str]) -> list[str]:
    """The handlers that a command is about; all of them if none is named.

    Those whose spec was removed, but of which something is recorded, come last.
    """
    kinds = checking.kinds(tree, project.package)
    kinds += sorted(set(state.kinds(tree)) - set(kinds))
    for name in names:
        if name not in kinds:
            guess = closest(name, kinds)
            hint = f"; did you mean {guess}?" if guess else ""
            raise UsageError(f"there is no handler {name!r}{hint}", fix="scaffold list")
    if not kinds:
        services = places.services(project.package)
        raise UsageError(
            f"no handlers: there is no {services}/*/handler.toml",
            fix="scaffold new-handler foo --field room:str",
        )
    return list(dict.fromkeys(names)) or kinds


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    rows = [tuple(map(escaped, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "".join(line.rstrip() + "\n" for line in lines)
