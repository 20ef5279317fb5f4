"""Definitions in the files of the load directory."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from runtime.errors import KapacitorError
from runtime.services.alert.specs import HandlerSpec
from runtime.tasks.api.bodies import Body
from runtime.tasks.load.files import (
    DOCUMENTS,
    SCRIPTS,
    File,
    FileError,
    digest,
    handler_spec,
    listed,
    task_body,
)

T = TypeVar("T")
Report = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Definition(Generic[T]):
    """A template, a task or a handler in one or two files.

    Attributes:
        key: kind and id: `tasks/cpu`, `handlers/TOPIC/ID`.
        file: the name of the file.
        digest: digest of the content of the files.
        value: the definition itself.
    """

    key: str
    file: str
    digest: str
    value: T


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions of a load directory.

    Attributes:
        templates: templates by file name, like the following.
        tasks: tasks, with scripts before documents.
        handlers: topic handlers.
        unreadable: kinds with a folder that cannot be read.
        is_missing: the directory does not exist.
    """

    templates: Sequence[Definition[Body]]
    tasks: Sequence[Definition[Body]]
    handlers: Sequence[Definition[HandlerSpec]]
    unreadable: frozenset[str]
    is_missing: bool

    @property
    def keys(self) -> set[str]:
        """The keys of all definitions."""
        bodies = {each.key for each in (*self.templates, *self.tasks)}
        return bodies | {each.key for each in self.handlers}


def definitions(directory: Path, report: Report) -> Definitions:
    """Read a load directory.

    Args:
        directory: directory with the folders `templates`, `tasks` and `handlers`.
        report: called with the name of each file that cannot be read, and the reason.
    """
    unreadable = set()

    def files(kind: str, suffixes: tuple[str, ...]) -> list[File]:
        try:
            return listed(directory, kind, suffixes)
        except OSError as error:
            unreadable.add(kind)
            reason = (error.strerror or str(error)).lower()
            report(kind, f"failed to read directory {error.filename}: {reason}")
            return []

    return Definitions(
        list(_templates(files("templates", SCRIPTS), report)),
        list(_tasks(files("tasks", (*SCRIPTS, *DOCUMENTS)), report)),
        list(_handlers(files("handlers", DOCUMENTS), report)),
        frozenset(unreadable),
        not os.path.lexists(directory),
    )


def _templates(files: Sequence[File], report: Report) -> Iterator[Definition[Body]]:
    for file in files:
        try:
            text = file.text()
        except FileError as error:
            report(file.name, str(error))
        else:
            body = Body(id=file.id, script=text)
            key = f"templates/{file.id}"
            yield Definition(key, file.name, digest([text]), body)


def _tasks(files: Sequence[File], report: Report) -> Iterator[Definition[Body]]:
    by_id = sorted(files, key=lambda each: each.id)
    for id, group in itertools.groupby(by_id, key=lambda each: each.id):
        first, *others = group
        if first.is_script and others and _supplements_script(others[0]):
            parts, others = [first, others[0]], others[1:]
        else:
            parts = [first]
        for other in others:
            report(other.name, f"task {id} is defined in {first.name} already")
        made = _task(parts, report)
        if made is not None:
            yield made


def _supplements_script(document: File) -> bool:
    """Check for a document that only adds to the script of the same name."""
    try:
        return not task_body(document, document.text()).template_id
    except FileError:
        # reported as a part of the task, which must not run without it
        return True


def _task(parts: Sequence[File], report: Report) -> Definition[Body] | None:
    """The task of a script, of a document, or of a script with a document."""
    texts = []
    body = Body(id=parts[0].id)
    for part in parts:
        try:
            texts.append(part.text())
            if part.is_script:
                body = replace(body, script=texts[-1])
            else:
                document = task_body(part, texts[-1])
                body = replace(document, script=body.script)
        except FileError as error:
            report(part.name, str(error))
            return None
    return Definition(f"tasks/{body.id}", parts[0].name, digest(texts), body)


def _handlers(
    files: Sequence[File], report: Report
) -> Iterator[Definition[HandlerSpec]]:
    taken: dict[str, str] = {}
    for file in files:
        try:
            text = file.text()
            spec = handler_spec(file, text)
        except KapacitorError as error:
            report(file.name, str(error))
            continue
        key = f"handlers/{spec.topic}/{spec.id}"
        if key in taken:
            report(
                file.name,
                f"handler {spec.id} of topic {spec.topic} is defined in "
                f"{taken[key]} already",
            )
            continue
        taken[key] = file.name
        yield Definition(key, file.name, digest([text]), spec)
