"""Loads the files of a directory at the start and on SIGHUP.

Definitions that have not changed are left alone. A file that cannot be loaded is
rejected: its former definition stays in force, and all other files are loaded.

Source: Kapacitor services/load/service.go, which stops at the first fault.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from runtime.compute.thread import Compute
from runtime.errors import FailedError, KapacitorError
from runtime.secrets.references import references_in
from runtime.services.alert.service import AlertService
from runtime.services.alert.specs import HandlerSpec
from runtime.services.alert.topic_handlers import UnknownHandlerError
from runtime.store.database import Store
from runtime.tasks.api.bodies import Body
from runtime.tasks.api.records import Task
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.api.templates import TaskTemplates
from runtime.tasks.load.definitions import Definition, Definitions, definitions
from runtime.tasks.load.ledger import Ledger, Loaded
from runtime.tasks.load.problems import Problems
from runtime.units import Clock

T = TypeVar("T")

log = logging.getLogger("kapacitor.load")


class LoadService:
    """Brings the definitions of the load directory into force.

    Files are read on another thread. Each definition is applied by itself on the compute
    thread, so that writes go on between two of them.
    """

    def __init__(
        self,
        directory: Path,
        tasks: Tasks,
        templates: TaskTemplates,
        alerts: AlertService,
        store: Store,
        compute: Compute,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._tasks = tasks
        self._templates = templates
        self._alerts = alerts
        self._compute = compute
        self._ledger = Ledger(store)
        self._problems = Problems(alerts, clock)

    @property
    def rejected(self) -> list[tuple[str, str, str]]:
        """Store, file and reason of each file that could not be loaded."""
        found = sorted(self._problems.current.items())
        return [("load", file, reason) for file, reason in found]

    async def load(self) -> None:
        """Delete the definitions of removed files, then apply changed ones.

        Raises:
            StoreError: the database cannot be read.
        """
        run = self._compute.run
        found, faults = await asyncio.to_thread(self._read)
        known = await run(self._begin, found, faults)
        # tasks with files of their own are changed later, by these files
        apart = frozenset(_ids((*found.keys, *known), "tasks"))
        define = functools.partial(self._template, apart=apart)
        for template in found.templates:
            await run(self._each, template, known, "template", define)
        for task in found.tasks:
            await run(self._each, task, known, "task", self._task)
        for handler in found.handlers:
            await run(self._each, handler, known, "handler", self._handler)
        await run(self._problems.end)

    def _read(self) -> tuple[Definitions, list[tuple[str, str]]]:
        faults: list[tuple[str, str]] = []
        found = definitions(self._directory, lambda *fault: faults.append(fault))
        return found, faults

    def _begin(
        self, found: Definitions, faults: Sequence[tuple[str, str]]
    ) -> Mapping[str, Loaded]:
        """Delete the definitions of removed files; return the ones loaded before."""
        known = self._ledger.all()
        self._problems.begin()
        for file, reason in faults:
            self._problems.add(file, reason)
        if found.is_missing and known:
            # probably unmounted: an empty directory deletes everything
            reason = "the load directory is missing; its definitions stay"
            self._problems.add(str(self._directory), reason)
        elif found.is_missing:
            # nothing of it is in force; a mistyped path would go unnoticed
            extra = {"dir": str(self._directory)}
            log.warning("the load directory does not exist", extra=extra)
        elif known:
            self._delete_gone(found, known)
        return known

    def _each(
        self,
        definition: Definition[T],
        known: Mapping[str, Loaded],
        what: str,
        define: Callable[[Definition[T], bool], None],
    ) -> None:
        """Apply a definition and note its problem."""
        loaded = Loaded(definition.file, definition.digest)
        before = known.get(definition.key, Loaded())
        try:
            define(definition, before.digest == definition.digest)
            if before != loaded:
                self._ledger.put(definition.key, loaded)
        except (KapacitorError, ValueError) as error:
            text = f"failed to update {what}: {error}"
            self._problems.add(definition.file, text)
        # a mistake in one definition must not keep the others from being loaded
        except Exception as error:
            log.exception(
                "failed to load a definition", extra={"file": definition.file}
            )
            text = f"internal error: {type(error).__name__}: {error}"
            self._problems.add(definition.file, text)

    def _template(
        self, definition: Definition[Body], is_same: bool, *, apart: frozenset[str]
    ) -> None:
        body = definition.value
        if self._templates.records.get(body.id) is None:
            self._templates.create(body)
        elif not is_same:
            self._templates.update(body.id, body, apart=apart)

    def _task(self, definition: Definition[Body], is_same: bool) -> None:
        body = definition.value
        task = self._tasks.records.get(body.id)
        try:
            if task is None:
                self._tasks.create(replace(body, status="enabled"))
            elif not is_same:
                self._tasks.redefine(body, enabled=True)
            elif not self._has_script_of_template(task):
                self._tasks.redefine(body, enabled=task.enabled)
            elif task.enabled and self._tasks.master.get(task.id) is None:
                self._tasks.start(task)
        except FailedError as error:
            # the task is defined, but does not start
            self._problems.add(definition.file, f"failed to start task: {error}")

    def _has_script_of_template(self, task: Task) -> bool:
        if not task.template_id:
            return True
        template = self._templates.records.get(task.template_id)
        return template is not None and template.script == task.script

    def _handler(self, definition: Definition[HandlerSpec], is_same: bool) -> None:
        spec = definition.value
        try:
            before = self._alerts.handlers.get(spec.topic, spec.id)
        except UnknownHandlerError:
            self._alerts.admission.create(spec)
            return
        # the secret of a file or variable may have changed
        refers = any(True for _ in references_in(spec.options))
        if not is_same or refers or self._alerts.handlers.running(before) is None:
            self._alerts.admission.update(before, spec)

    def _delete_gone(self, found: Definitions, known: Mapping[str, Loaded]) -> None:
        """Delete loaded definitions whose file is gone."""
        current = found.keys
        for key, loaded in known.items():
            if key not in current and not self._may_be_unreadable(key, loaded, found):
                log.info(
                    "deleting a definition whose file is gone",
                    extra={"id": key},
                )
                try:
                    self._delete(key)
                    self._ledger.delete(key)
                # the next load tries again
                except KapacitorError as error:
                    text = f"failed to delete its definition: {error}"
                    self._problems.add(loaded.file or key, text)

    def _may_be_unreadable(self, key: str, loaded: Loaded, found: Definitions) -> bool:
        """Check for a broken file that may still contain a definition."""
        kind, _, id = key.partition("/")
        if kind in found.unreadable:
            return True
        if kind == "handlers":
            return self._problems.has(loaded.file) or (
                not loaded.file and any(self._problems.of("handlers"))
            )
        return any(Path(file).stem == id for file in self._problems.of(kind))

    def _delete(self, key: str) -> None:
        kind, _, id = key.partition("/")
        match kind:
            case "templates":
                self._templates.delete(id)
            case "tasks":
                self._tasks.delete(id)
            case "handlers":
                topic, _, handler = id.partition("/")
                self._alerts.handlers.delete(topic, handler)


def _ids(keys: Iterable[str], kind: str) -> Iterator[str]:
    for key in keys:
        found, _, id = key.partition("/")
        if found == kind:
            yield id
