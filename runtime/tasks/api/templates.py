"""Templates, the scripts that tasks share; on the compute thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from runtime.errors import (
    FailedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RefusedError,
)
from runtime.pipeline.evaluate import EvaluatedScript
from runtime.services.alert.policy import OPEN, Policy
from runtime.store.records import Records
from runtime.tasks.api.bodies import Body, checked_id
from runtime.tasks.api.records import Task, TaskTemplate
from runtime.tasks.api.scripts import check_handlers, parsed
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.secrets.hiding import Definition, RedactedViews, Shown
from runtime.tasks.secrets.restoring import restored
from runtime.tick.variables import Vars
from runtime.units import Clock


class TaskTemplates:
    """All templates."""

    def __init__(
        self, records: Records[TaskTemplate], tasks: Tasks, clock: Clock
    ) -> None:
        self.records = records
        self._tasks = tasks
        self._clock = clock
        self._views = RedactedViews(tasks.handlers)

    def get(self, id: str) -> TaskTemplate:
        """A template.

        Raises:
            RefusedError: the template does not exist.
        """
        template = self.records.get(id)
        if template is None:
            raise NotFoundError("no template exists")
        return template

    def shown(self, template: TaskTemplate, defaults: Vars) -> Shown:
        """The template and its variables' defaults with secrets redacted."""
        return self._views.of(template.id, Definition(template.script, defaults))

    def create(self, body: Body) -> TaskTemplate:
        """Create a template.

        Raises:
            RefusedError: the request is wrong.
        """
        id = checked_id(body.id, "template")
        if self.records.get(id) is not None:
            raise InvalidError(f"template {id} already exists")
        now = self._clock()
        script = self._restored(body.script, None)
        template = TaskTemplate(id, _type(script), script, "", now, now)
        defaults = self.compiled(template).variables
        self.records.put(template)
        self.shown(template, defaults).warn(id, "template")
        return template

    def update(
        self,
        id: str,
        body: Body,
        policy: Policy = OPEN,
        apart: Collection[str] = (),
    ) -> TaskTemplate:
        """Change a template and its tasks, all or none.

        Args:
            id: id of the template.
            body: request.
            policy: limits on handlers in the tasks.
            apart: tasks to leave unchanged.

        Raises:
            RefusedError: the request is wrong, or a task fails with the new script.
        """
        before = self.records.get(id)
        if before is None:
            raise NotFoundError("template does not exist, cannot update")
        template = dataclasses.replace(before, modified=self._clock())
        if body.id and body.id != id:
            template = dataclasses.replace(template, id=checked_id(body.id, "template"))
            if self.records.get(template.id) is not None:
                raise FailedError(
                    "failed to create new template for ID change: object already exists"
                )
        if body.script:
            script = self._restored(body.script, before)
            kind = _type(script)
            template = dataclasses.replace(template, script=script, type=kind)
        defaults = self.compiled(template).variables
        self._update_tasks(before, template, policy, apart)
        self.records.replace(id, template)
        if template.id != id:
            self._views.forget(id)
        if template.script != before.script:
            self.shown(template, defaults).warn(template.id, "template")
        return template

    def compiled(self, template: TaskTemplate) -> EvaluatedScript:
        """The compiled script of a template, whose variables have no values.

        Raises:
            RefusedError: its script is wrong.
        """
        return self._tasks.compiler.template(template)

    def delete(self, id: str) -> None:
        """Delete a template, if it exists; its tasks keep their script."""
        self.records.delete(id)
        self._views.forget(id)

    def _restored(self, script: str, before: TaskTemplate | None) -> str:
        known = None if before is None else Definition(before.script, {})
        return restored(Definition(script, {}), known, self._tasks.handlers).script

    def _update_tasks(
        self,
        before: TaskTemplate,
        template: TaskTemplate,
        policy: Policy,
        apart: Collection[str],
    ) -> None:
        tasks = self._tasks.of_template(before.id)
        olds = [task for task in tasks if task.id not in apart]
        done: list[Task] = []
        try:
            for old in olds:
                done.append(old)
                self._update_task(old, before, template, policy)
        except RefusedError as error:
            for old in done:
                self._restore(old)
            raise _reload_error(done[-1], error) from None

    def _update_task(
        self, old: Task, before: TaskTemplate, template: TaskTemplate, policy: Policy
    ) -> None:
        task = _with_template(old, before, template)
        if not task.dbrps:
            raise FailedError("task does contain any dbrps")
        if task.script != old.script:
            try:
                script = self._tasks.compiler.task(task)
            except RefusedError:
                # the variables of a disabled task may be set later
                if task.enabled:
                    raise
            else:
                check_handlers(script, policy)
        self._tasks.replace(task)

    def _restore(self, task: Task) -> None:
        try:
            self._tasks.replace(task)
        except RefusedError:
            # it did not run before either, and has its error again
            return


def _type(script: str) -> str:
    # Kapacitor reports a missing script as one of an invalid type
    if not script:
        raise InvalidError("invalid task type: invalid")
    return parsed(script).type


def _reload_error(task: Task, error: RefusedError) -> RefusedError:
    # Kapacitor compiles a template's task where it starts it
    reason = str(error).removeprefix("invalid TICKscript: ")
    text = f"error reloading associated task {task.id}: {reason}"
    return (ForbiddenError if isinstance(error, ForbiddenError) else FailedError)(text)


def _with_template(task: Task, before: TaskTemplate, template: TaskTemplate) -> Task:
    """`task` with another template, reading the databases that one of the templates names."""
    dbrps = parsed(template.script).dbrps
    if not dbrps and not parsed(before.script).dbrps:
        dbrps = task.dbrps
    return dataclasses.replace(
        task,
        script=template.script,
        type=template.type,
        template_id=template.id,
        dbrps=dbrps,
        error="",
    )
