"""`scaffold explain PATH[:LINE]`: the template and the spec that a line comes from."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from scaffold import overrides, presence, provenance
from scaffold.errors import ScaffoldError, UsageError
from scaffold.escaping import escaped
from scaffold.generate import ChangeSet, generate
from scaffold.handlers import committed, fresh, wanted_as
from scaffold.outcomes import LeftAlone
from scaffold.project import Project
from scaffold.provenance import Source
from scaffold.refusal import refusal
from scaffold.rendering.overrides import Overrides
from scaffold.rendering.product import templates_path
from scaffold.rendering.traces import Origin
from scaffold.report import Report
from scaffold.spec.model.handler import HandlerSpec
from scaffold.tree import DiskTree, Tree

_MAX_KEYS = 6
_MAX_LINES = 3
_WIDTH = 79
_TEXTS = {
    "spec": "the spec of the handler: yours. Everything else is generated from it.",
    "state": "the record of the generated text of the handler; scaffold keeps it.",
}

Fact = tuple[str, str]
"""A line of the answer: its name, its text."""


def place(project: Project, subject: str, folder: Path) -> Report:
    """Explain a file or a line.

    Args:
        project: the project.
        subject: `PATH` or `PATH:LINE`.
        folder: the folder that PATH may be relative to, besides the project's root.

    Raises:
        UsageError: the file or the line does not exist.
    """
    tree = DiskTree(project.root)
    name, _, number = subject.rpartition(":")
    line = int(number) if name and number.isdecimal() else 0
    given = name if line else subject
    meant = project.meant(given, folder)
    existing = (each for each in meant if os.path.lexists(project.root / each))
    path = next(existing, meant[-1])
    now = tree.read(path)
    found = list(provenance.sources(tree, project, path))
    if now is None and (line or not found):
        raise UsageError(
            f"{escaped(given)}: no such file in the project", fix="scaffold list -v"
        )
    lines = (now or b"").decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()  # a line feed ends the last line
    if line > len(lines):
        count = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
        raise UsageError(f"{escaped(str(path))}: the file has {count}")
    if found and found[0].role == "shared" and line:
        found = [each for each in found if each.first <= line <= each.last]
    report = Report("explain", summary=f"{path}:{line}" if line else str(path))
    report.extra |= {"path": str(path), "line": line, "sources": []}
    texts: list[str] = []
    for source in found:
        facts, fields = _facts(project, tree, path, source, lines, line)
        texts.append("".join(_shown(*fact) for fact in facts))
        report.extra["sources"].append(fields)
    if not found:
        is_shared = provenance.is_shared(path, project.package)
        texts = [f"not generated{_registration_hint(is_shared=is_shared, line=line)}\n"]
    report.output = "\n".join(texts)
    return report


def _registration_hint(*, is_shared: bool, line: int) -> str:
    if is_shared and line:
        return ": handlers are registered in this file, but not on this line"
    return ": handlers are registered in this file" if is_shared else ""


def _facts(
    project: Project,
    tree: Tree,
    path: PurePosixPath,
    source: Source,
    lines: Sequence[str],
    line: int,
) -> tuple[list[Fact], dict[str, Any]]:
    """The answer about a file or a line, for people and for machines."""
    fields: dict[str, Any] = {
        "handler": source.kind,
        "role": source.role,
        "template": source.template,
    }
    facts: list[Fact] = [("handler", source.kind)]
    if source.place is not None:
        place = source.place
        fields |= {"place": place.place, "key": place.key}
        fields |= {"first": source.first, "last": source.last}
        facts.append(("entry", f"`{place.key}` in {place.anchor.name}"))
    if not source.template:
        return [*facts, ("role", _TEXTS[source.role])], fields
    spec = committed(project, tree, source.kind)
    own = overrides.find(tree, project).overrides
    want = wanted_as(project, tree, source.kind, spec)
    if source.place is None:
        base = want.files.get(path, "")
        now, at = lines, line
    else:
        base = want.places[source.place]
        now = textwrap.dedent("\n".join(lines[source.first - 1 : source.last]))
        now, at = now.split("\n"), line - source.first + 1 if line else 0
    generated = base.split("\n")
    known = provenance.line_in(generated, now, at) if at else 0
    facts.append(("template", _template(source.template, own, None)))
    if known:
        more, values = _of_line(project, source, spec, own, known)
        facts = [*(fact for fact in facts if fact[0] != "template"), *more]
        fields |= values
    is_edited = source.place is None and presence.is_edited(
        path, tree.read(path) or b"", base
    )
    if line and not known:
        text = "the line is not in the generated text: edited by hand"
        if not is_edited:
            text = "the line is not in the generated text: laid out in another way"
        facts.append(("line", text))
    fields["is_edited"] = bool(line and not known and is_edited)
    result = generate(want, tree, fresh(project))
    verdict, touches = _verdict(result, path, line, is_edited=is_edited)
    fields |= {"touches": touches, "regenerate": verdict}
    return [*facts, ("regenerate", verdict)], fields


def _of_line(
    project: Project,
    source: Source,
    spec: HandlerSpec,
    own: Overrides,
    line: int,
) -> tuple[list[Fact], dict[str, Any]]:
    """The template line and the keys of a line of the generated text."""
    origin = provenance.origin(source.template, spec, project, own, line)
    keys = provenance.keys(source.template, spec, project, own, line)
    facts: list[Fact] = [("template", _template(source.template, own, origin))]
    if origin is None:
        facts.append(("line", "made by the layout of the file"))
    spec_path = spec.path
    shown = [
        f"{key.name} ({spec_path}:{key.line}{'' if key.is_sure else ', by its name'})"
        for key in keys[:_MAX_KEYS]
    ]
    if len(keys) > _MAX_KEYS:
        shown.append(f"and {len(keys) - _MAX_KEYS} more")
    facts.append(("spec", ", ".join(shown) or "no key: the same for every handler"))
    fields: dict[str, Any] = {
        "template_line": None,
        "is_sure": origin is not None and origin.is_sure,
        "keys": [key._asdict() for key in keys],
    }
    if origin is not None:
        fields["template_line"] = {"template": origin.template, "line": origin.line}
    return facts, fields


def _template(name: str, own: Overrides, origin: Origin | None) -> str:
    """A template, or a line of it, with its text."""
    paths = {each.name: (str(each.path), each.text) for each in own}
    if origin is None:
        path, _ = paths.get(name, (name, ""))
        return f"{path} (of this project)" if name in paths else path
    path, text = paths.get(origin.template, (origin.template, ""))
    text = text or (templates_path() / origin.template).read_text("utf-8")
    line = text.split("\n")[origin.line - 1].strip()
    doubt = "" if origin.is_sure else " (unsure: found by likeness)"
    part = f" (included by {name})" if origin.template != name else ""
    return f"{path}:{origin.line}{part}{doubt}\n{line}"


def _verdict(
    result: ChangeSet, path: PurePosixPath, line: int, *, is_edited: bool
) -> tuple[str, bool | None]:
    """The effect of `regenerate` on a line or a file; None: it would be refused."""
    error: ScaffoldError | None = refusal(result)
    after = provenance.becomes(result, path, line)
    stopped = [each for each in result.outcomes if each.verb == "conflict"]
    if error is not None or stopped:
        reason = str(error) if error else f"{stopped[0].path}: {stopped[0].reason}"
        return f"would be refused: {reason.splitlines()[0]}", None
    what = "the line" if line else "the file"
    ejected = [each for each in result.outcomes if isinstance(each, LeftAlone)]
    if path in [each.path for each in ejected]:
        return f"leaves {what} unchanged: the file was ejected", False
    if after is None:
        edited = ", hand edits included" if is_edited and not line else ""
        return f"leaves {what} unchanged{edited}", False
    if not line:
        return "would change the file; scaffold regenerate -n --diff shows it", True
    if not after:
        return "would remove the line", True
    text = "\n".join(each.strip() for each in after[:_MAX_LINES])
    return f"would replace the line with:\n{text}", True


def _shown(name: str, text: str) -> str:
    first, *others = text.split("\n")
    lines = textwrap.wrap(
        escaped(first), _WIDTH - 12, break_long_words=False, break_on_hyphens=False
    ) or [""]
    shown = [f"{name:<12}{lines[0]}", *(f"{'':<12}{line}" for line in lines[1:])]
    shown += [f"{'':<12}  {escaped(line)}" for line in others]
    return "".join(f"{line.rstrip()}\n" for line in shown)
