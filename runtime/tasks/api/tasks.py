"""Tasks: created, changed and run on the compute thread."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from runtime.errors import (
    FailedError,
    InvalidError,
    KapacitorError,
    NotFoundError,
    RefusedError,
    StoreError,
)
from runtime.nodes.secret_properties import ScriptHandlers
from runtime.pipeline.alert import AlertNode
from runtime.pipeline.evaluate import EvaluatedScript
from runtime.pipeline.node import DeadmanSettings
from runtime.pipeline.source import QueryNode
from runtime.services.alert.policy import OPEN, Policy
from runtime.store.records import Records
from runtime.tasks.api.bodies import Body, checked_id
from runtime.tasks.api.health import Alerts, TaskEvents
from runtime.tasks.api.query_failures import QueryFailures
from runtime.tasks.api.records import DBRP, Task, TaskTemplate
from runtime.tasks.api.restarts import Restarts
from runtime.tasks.api.scripts import ScriptCompiler, check_handlers, parsed
from runtime.tasks.secrets.hiding import Definition, RedactedViews, Shown
from runtime.tasks.secrets.restoring import restored
from runtime.tasks.task_master import TaskMaster
from runtime.units import Clock

DEFAULT_DEADMAN = DeadmanSettings()

log = logging.getLogger("kapacitor.task_store")


class TaskTopics(Alerts, Protocol):
    """The part of the alert service that tasks need."""

    def delete_anonymous_topics(self, task: str) -> None:
        """Delete the topics of a deleted task."""

    def adopt_numbers(self, renames: Iterable[tuple[str, str]]) -> None:
        """Rename topics of alert nodes to the current scheme, if necessary."""


class Tasks:
    """All tasks, running or not.

    Attributes:
        records: stored tasks.
        master: task master that runs the tasks.
        compiler: compiles their scripts.
    """

    def __init__(
        self,
        records: Records[Task],
        templates: Records[TaskTemplate],
        master: TaskMaster,
        topics: TaskTopics,
        clock: Clock,
        handlers: ScriptHandlers,
        deadman: DeadmanSettings = DEFAULT_DEADMAN,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep tasks.

        Args:
            records: stored tasks.
            templates: stored templates.
            master: task master that runs the tasks.
            topics: topics of alert nodes.
            clock: wall clock, in ns since 1970 UTC.
            handlers: script handlers, with the names of their secret fields.
            deadman: settings for `|deadman()`.
            pause: lets writes in between the calls of a script that is compiled.
        """
        self.records = records
        self.compiler = ScriptCompiler(deadman, handlers.properties, pause)
        self._pause = pause
        self._templates = templates
        self.master = master
        self._topics = topics
        self._clock = clock
        # compiled from the stored definitions, as compiling takes time
        self._scripts: dict[str, tuple[Task, EvaluatedScript]] = {}
        self._views = RedactedViews(handlers)
        events = TaskEvents(topics, clock)
        self._restarts = Restarts(events, master.timers, self._restart)
        self._failures = QueryFailures(events)
        master.stopped = self._stopped
        master.queried = self._queried

    def open(self) -> None:
        """Run the tasks that were enabled. One that fails is logged and marked."""
        self.records.load()
        self._topics.adopt_numbers(self._renames())
        for task in self.records.all():
            if not task.enabled:
                continue
            try:
                self.start(task)
            except RefusedError as error:
                log.error(
                    "failed to start enabled task",
                    extra={"task": task.id, "err": str(error)},
                )
                self._restarts.failed(task.id, str(error))
            # a mistake in one task must not keep the server from starting
            except Exception:
                log.exception("failed to start enabled task", extra={"task": task.id})

    def _renames(self) -> Iterator[tuple[str, str]]:
        """Topics of alert nodes by their former and current names.

        Numbers have only grown: a task's last node is renamed first, which frees its
        name.
        """
        for task in self.records.all():
            try:
                nodes = self.script(task).pipeline.nodes
            except RefusedError:
                # it does not compile, so it has not run and has no topics
                continue
            # a mistake in one task must not keep the server from starting
            except Exception:
                log.exception("failed to read a stored task", extra={"task": task.id})
                continue
            for node in reversed(nodes):
                if isinstance(node, AlertNode) and node.name != node.former_name:
                    topic = f"main:{task.id}:"
                    yield topic + node.former_name, topic + node.name

    def script(self, task: Task) -> EvaluatedScript:
        """The script of a task, compiled.

        Raises:
            RefusedError: its script is wrong.
        """
        known = self._scripts.get(task.id)
        if known is not None and _same_definition(known[0], task):
            return known[1]
        script = self.compiler.task(task)
        self._scripts[task.id] = task, script
        return script

    @property
    def handlers(self) -> ScriptHandlers:
        """The handlers of scripts."""
        return self._views.handlers

    def shown(self, task: Task) -> Shown:
        """The task with its secrets redacted."""
        return self._views.of(task.id, _definition(task))

    def get(self, id: str) -> Task:
        """A task.

        Raises:
            RefusedError: the task does not exist.
        """
        task = self.records.get(id)
        if task is None:
            raise NotFoundError("no task exists")
        return task

    def create(self, body: Body, policy: Policy = OPEN) -> Task:
        """Create a task, and run it if it is enabled.

        Args:
            body: request.
            policy: limits on handlers in the script.

        Raises:
            RefusedError: the request is wrong, or the task cannot start; in the second
                case it is stored nevertheless, with the error.
        """
        id = checked_id(body.id, "task")
        if self.records.get(id) is not None:
            raise InvalidError(f"task {id} already exists")
        now = self._clock()
        task = Task(id, created=now, modified=now)
        text = "cannot specify dbrp in both implicitly and explicitly"
        try:
            task = self._defined(task, None, body, both_dbrps=text)
            if body.status == "enabled":
                task = dataclasses.replace(task, enabled=True, last_enabled=now)
            check_handlers(self.script(task), policy)
            self.records.put(task)
        except KapacitorError:
            self._forget(id)
            raise
        self._pause()
        self.shown(task).warn(task.id)
        self._pause()
        if task.enabled:
            self.start(task)
        return self.get(id)

    def update(self, id: str, body: Body, policy: Policy = OPEN) -> Task:
        """Change a task; values that the request lacks stay unchanged.

        Args:
            id: id of the task.
            body: request.
            policy: limits on handlers in a new script.

        Raises:
            RefusedError: the request is wrong, or the task cannot start.
        """
        before = self.records.get(id)
        if before is None:
            raise NotFoundError("task does not exist, cannot update")
        now = self._clock()
        task = dataclasses.replace(before, modified=now)
        if body.id and body.id != id:
            task = dataclasses.replace(task, id=checked_id(body.id, "task"))
            if self.records.get(task.id) is not None:
                raise FailedError(
                    "failed to create new task during ID change: object already exists"
                )
        if body.defines:
            text = "cannot specify dbrp in implicitly and explicitly"
            task = self._defined(task, _definition(before), body, both_dbrps=text)
        if body.status:
            task = dataclasses.replace(task, enabled=body.status == "enabled")
        if task.enabled and not before.enabled:
            task = dataclasses.replace(task, last_enabled=now, error="")
        is_new = not _same_definition(before, task)
        if is_new:
            check_handlers(self.script(task), policy)
        elif task.enabled:
            self.script(task)
        # store first: the running task must match the stored one
        self.records.replace(before.id, task)
        if is_new:
            self.shown(task).warn(task.id)
        self._exchange(before, task)
        return self.get(task.id)

    def redefine(self, body: Body, *, enabled: bool) -> Task:
        """Replace a task's definition, and restart it.

        Nothing of the former definition is kept.

        Args:
            body: request; its id is that of the task.
            enabled: True to run the task.

        Raises:
            RefusedError: the request is wrong, or the task cannot start; in the second
                case it has the new definition nevertheless, with the error.
        """
        before = self.get(body.id)
        now = self._clock()
        task = Task(
            body.id,
            enabled=enabled,
            created=before.created,
            modified=now,
            last_enabled=now if enabled else before.last_enabled,
        )
        text = "cannot specify dbrp in both implicitly and explicitly"
        task = self._defined(task, _definition(before), body, both_dbrps=text)
        self.script(task)
        self.records.put(task)
        self.shown(task).warn(task.id)
        if enabled:
            self.start(task)
        else:
            self._stop(task.id)
        return self.get(task.id)

    def delete(self, id: str) -> None:
        """Stop and delete a task, if it exists.

        Raises:
            StoreError: the database cannot be written; the task runs on.
        """
        task = self.records.get(id)
        if task is None:
            return
        self.records.delete(id)
        self._stop(id)
        if task.enabled:
            self._topics.delete_anonymous_topics(id)
        self._forget(id)

    def start(self, task: Task) -> None:
        """Run a task.

        Raises:
            RefusedError: it cannot start; the task keeps the reason as its error.
        """
        self._failures.forget(task.id)
        try:
            self.master.start(task.id, self.script(task), task.dbrps)
            reason = ""
        except KapacitorError as error:
            reason = str(error)
        # one task's mistake must not keep the others from running
        except Exception as error:
            log.exception("failed to start a task", extra={"task": task.id})
            reason = f"internal error: {type(error).__name__}: {error}"
        if reason:
            reason = self.shown(task).hide(reason)
        if reason != task.error:
            self.records.put(dataclasses.replace(task, error=reason))
        if reason:
            self._restarts.forget(task.id)
            raise FailedError(reason)
        self._restarts.started(task.id)

    @property
    def stops(self) -> Mapping[str, int]:
        """Number of errors that have stopped a task, by its id."""
        return self._restarts.stops

    def of_template(self, template: str) -> list[Task]:
        """The tasks of a template."""
        return [each for each in self.records.all() if each.template_id == template]

    def replace(self, task: Task) -> None:
        """Replace a task's definition, and restart it if it ran.

        Raises:
            RefusedError: it cannot start.
        """
        self.records.put(task)
        if task.enabled:
            self.start(task)

    def _exchange(self, before: Task, task: Task) -> None:
        renamed = before.id != task.id
        if renamed or not task.enabled:
            self._stop(before.id)
        if renamed:
            self._forget(before.id)
        if task.enabled and (renamed or not before.enabled):
            self.start(task)

    def _stop(self, id: str) -> None:
        self.master.stop(id)
        self._restarts.ended(id)
        _, script = self._scripts.get(id, (None, None))
        if script is not None:
            children = script.pipeline.source.children
            queries = [each.name for each in children if isinstance(each, QueryNode)]
            self._failures.ended(id, queries)

    def _restart(self, id: str) -> None:
        """Restart a task that an error has stopped."""
        task = self.records.get(id)
        if task is None or not task.enabled or self.master.get(id) is not None:
            return
        try:
            self.start(task)
        except RefusedError as error:
            log.error("failed to restart a task", extra={"task": id})
            self._restarts.failed(id, str(error))

    def _forget(self, id: str) -> None:
        self._scripts.pop(id, None)
        self._views.forget(id)

    def _defined(
        self, task: Task, before: Definition | None, body: Body, *, both_dbrps: str
    ) -> Task:
        """`task` with the script, variables and sources of the request."""
        template_id = body.template_id or task.template_id
        script = self._script(task, body, template_id)
        sent = Definition(script, body.variables() or task.vars)
        script, variables = restored(sent, before, self.handlers)
        found = parsed(script)
        made = dataclasses.replace(
            task,
            script=script,
            template_id=template_id,
            type=found.type,
            dbrps=found.dbrps or body.dbrps or task.dbrps,
            vars=variables,
        )
        if before is None:
            # as Kapacitor does for a new task
            self.script(made)
        if found.dbrps and body.dbrps:
            raise InvalidError(both_dbrps)
        # the dbrps of a former script are dropped with it
        had_dbrps = before and body.script and not template_id and _dbrps(before.script)
        if not made.dbrps or (had_dbrps and not found.dbrps and not body.dbrps):
            raise InvalidError("must specify dbrp")
        return made

    def _script(self, task: Task, body: Body, template_id: str) -> str:
        """The script of a changed task: that of its template, if it has one.

        Raises:
            RefusedError: the template does not exist.
        """
        if not template_id:
            return body.script or task.script
        template = self._templates.get(template_id)
        if template is not None:
            return template.script
        # a task can be disabled even if its template is missing
        if task.script and not body.template_id and not body.script:
            return task.script
        raise InvalidError(f"unknown template {template_id}: err: no template exists")

    def _stopped(self, id: str, error: str) -> None:
        task = self.records.get(id)
        if task is not None:
            error = self.shown(task).hide(error)
            self.records.put(dataclasses.replace(task, error=error))
            self._restarts.stopped(id, error)

    def _queried(self, id: str, node: str, failure: str) -> None:
        """Keep the failure of a query as its task's error while it lasts."""
        task = self.records.get(id)
        if task is None:
            return
        error = self._failures.note(id, node, self.shown(task).hide(failure))
        if error == task.error:
            return
        try:
            self.records.put(dataclasses.replace(task, error=error))
        # the query is not the cause, and the next one tries again
        except StoreError as fault:
            extra = {"task": id, "err": str(fault)}
            log.error("failed to store the error of a query", extra=extra)


def _dbrps(script: str) -> tuple[DBRP, ...]:
    """The `dbrp` statements of a stored script; none if it does not parse."""
    try:
        return parsed(script).dbrps
    except RefusedError:
        return ()


def _definition(task: Task) -> Definition:
    return Definition(task.script, task.vars)


def _same_definition(one: Task, other: Task) -> bool:
    return (one.script, one.type, one.vars) == (other.script, other.type, other.vars)
