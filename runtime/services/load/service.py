"""Loads the files of a directory, at the start and whenever it is asked to.

Source: Kapacitor services/load/service.go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from runtime.errors import KapacitorError
from runtime.services.alert.service import AlertService, UnknownHandlerError
from runtime.services.httpd.messages import RefusedError
from runtime.services.load.files import (
    DOCUMENTS,
    SCRIPTS,
    files,
    handler_spec,
    script_body,
    task_body,
)
from runtime.services.task_store.bodies import Body
from runtime.services.task_store.tasks import Tasks
from runtime.services.task_store.templates import Templates
from runtime.store import Store

log = logging.getLogger("kapacitor.load")

_BUCKET = "load"


class LoadError(KapacitorError):
    """A file of the directory cannot be loaded."""


class LoadService:
    """Keeps what runs as the files say. Belongs to the compute thread."""

    def __init__(
        self,
        directory: Path,
        tasks: Tasks,
        templates: Templates,
        alerts: AlertService,
        store: Store,
    ) -> None:
        self._directory = directory
        self._tasks = tasks
        self._templates = templates
        self._alerts = alerts
        self._store = store

    def load(self) -> None:
        """Define what the files say, then delete what was loaded from files now gone.

        Raises:
            LoadError: a file cannot be loaded; what comes after it is as it was.
        """
        loaded: set[str] = set()
        try:
            self._each("templates", SCRIPTS, self._template, loaded)
            self._each("tasks", (*SCRIPTS, *DOCUMENTS), self._task, loaded)
            self._each("handlers", DOCUMENTS, self._handler, loaded)
        except LoadError as error:
            raise LoadError(
                f"failed to reload tasks/templates/handlers: {error}"
            ) from error
        for key in [key for key, _ in self._store.items(_BUCKET)]:
            if key not in loaded:
                self._delete(key)
                self._store.delete(_BUCKET, key)

    def _each(
        self,
        name: str,
        suffixes: tuple[str, ...],
        load: Callable[[Path], str],
        loaded: set[str],
    ) -> None:
        try:
            found = list(files(self._directory / name, suffixes))
        except OSError as error:
            raise LoadError(
                f"failed to read directory {error.filename}: {error.strerror}"
            ) from error
        for path in found:
            try:
                key = f"{name}/{load(path)}"
            except OSError as error:
                text = f"failed to load file {path}: {error.strerror}"
                raise LoadError(text) from error
            except (KapacitorError, RefusedError, ValueError) as error:
                raise LoadError(f"failed to load file {path}: {error}") from error
            loaded.add(key)
            # at once: whatever happens to the next file, this one is known to be ours
            self._store.put(_BUCKET, key, b"")
            log.debug("loaded file", extra={"file": str(path)})

    def _template(self, path: Path) -> str:
        body = script_body(path)
        try:
            if self._templates.records.get(body.id) is None:
                self._templates.create(body)
            else:
                self._templates.update(body.id, body)
        except RefusedError as error:
            raise LoadError(f"failed to update template: {error}") from error
        return body.id

    def _task(self, path: Path) -> str:
        body = script_body(path) if path.suffix in SCRIPTS else task_body(path)
        try:
            if self._tasks.records.get(body.id) is None:
                self._tasks.create(replace(body, status="enabled"))
            else:
                # stopped first: what it does from now on is what the file says
                self._tasks.update(body.id, replace(body, status="disabled"))
                self._tasks.update(body.id, Body(status="enabled"))
        except RefusedError as error:
            raise LoadError(f"failed to update task: {error}") from error
        return body.id

    def _handler(self, path: Path) -> str:
        try:
            spec = handler_spec(path)
            try:
                before = self._alerts.handler(spec.topic, spec.id)
            except UnknownHandlerError:
                self._alerts.register(spec)
            else:
                self._alerts.update(before, spec)
        except (KapacitorError, ValueError) as error:
            raise LoadError(f"failed to update handler: {error}") from error
        return f"{spec.topic}/{spec.id}"

    def _delete(self, key: str) -> None:
        kind, _, id = key.partition("/")
        log.info("deleting what no file says any more", extra={"id": key})
        match kind:
            case "templates":
                self._templates.delete(id)
            case "tasks":
                self._tasks.delete(id)
            case "handlers":
                topic, _, handler = id.partition("/")
                self._alerts.deregister(topic, handler)
