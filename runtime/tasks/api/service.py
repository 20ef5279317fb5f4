"""The API of tasks and templates."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from runtime.compute.thread import Compute
from runtime.errors import FailedError, InvalidError, RefusedError, ScriptError
from runtime.nodes.http_out_results import HTTPOutputs
from runtime.pipeline.dot import dot
from runtime.services.alert.policy import OPEN, Policy
from runtime.services.httpd.listing import Listed, Listing
from runtime.services.httpd.messages import (
    BASE,
    NO_CONTENT,
    NOT_FOUND,
    Answer,
    Handler,
    Request,
    compact,
    pretty,
    self_link,
)
from runtime.services.httpd.router import Router
from runtime.tasks.api.bodies import Body
from runtime.tasks.api.records import Task, TaskTemplate
from runtime.tasks.api.scripts import formatted
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.api.templates import TaskTemplates
from runtime.tasks.api.view import View
from runtime.tasks.secrets.hiding import Shown
from runtime.tasks.task import ExecutingTask
from runtime.tasks.task_master import TaskMaster
from runtime.tick.parser import parse
from runtime.tick.variables import Var, encode
from runtime.units import rfc3339

# Bytes of a body whose script takes more than some milliseconds to parse.
_LARGE = 8 * 1024
_TASK_FIELDS = (
    *("link", "id", "template-id", "type", "dbrps", "script", "vars", "dot", "status"),
    *("executing", "error", "stats", "created", "modified", "last-enabled"),
)
_TEMPLATE_FIELDS = (
    *("link", "id", "type", "script", "vars", "dot", "error", "created", "modified"),
)
# the fields of templates in a list, if its request names none
_TEMPLATE_LISTED = frozenset(_TEMPLATE_FIELDS) - {"vars"}

Work = Callable[[Request], Answer]


class TaskStoreService:
    """Answers below `/tasks` and `/templates`.

    Attributes:
        replays: returns the task master of a running replay, by its id.
    """

    def __init__(
        self,
        tasks: Tasks,
        templates: TaskTemplates,
        pages: HTTPOutputs,
        compute: Compute,
        policy: Policy = OPEN,
    ) -> None:
        self._tasks = tasks
        self._templates = templates
        self._pages = pages
        self._compute = compute
        self._policy = policy
        self.replays: Callable[[str], TaskMaster | None] = lambda id: None

    def open(self) -> None:
        """Read the stored definitions and run enabled tasks; on the compute thread."""
        self._templates.records.load()
        self._tasks.open()

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        for method, pattern, work in (
            ("POST", "/tasks", self._create_task),
            ("GET", "/tasks/", self._get_task),
            ("PATCH", "/tasks/", self._update_task),
            ("DELETE", "/tasks/", self._delete_task),
            ("POST", "/templates", self._create_template),
            ("GET", "/templates/", self._get_template),
            ("PATCH", "/templates/", self._update_template),
            ("DELETE", "/templates/", self._delete_template),
        ):
            router.add(method, pattern, self._on_compute(work, pattern))
        router.add("GET", "/tasks", self._list_tasks)
        router.add("GET", "/templates", self._list_templates)
        for method in ("POST", "PUT"):
            for pattern in ("/tasks/", "/templates/"):
                handler = self._on_compute(lambda request: NOT_FOUND, pattern)
                router.add(method, pattern, handler)

    def _on_compute(self, work: Work, pattern: str) -> Handler:
        what = "template" if "templates" in pattern else "task"
        with_id = pattern.endswith("/")

        async def handler(request: Request) -> Answer:
            if with_id and not request.rest:
                raise InvalidError(f"must specify {what} id on path")
            if len(request.body) > _LARGE:
                # the result is cached, and writes go on meanwhile
                await asyncio.to_thread(_parse, request.body)
            return await self._compute.run(work, request)

        return handler

    # tasks

    async def _list_tasks(self, request: Request) -> Answer:
        return await self._listed("tasks", self._listed_tasks(request))

    def _listed_tasks(self, request: Request) -> Iterator[dict[str, Any]]:
        view = View.of(request)
        listing = Listing.of(request, _TASK_FIELDS)
        for id in listing.pick([task.id for task in self._tasks.records.all()]):
            # items deleted meanwhile are left out
            if (task := self._tasks.records.get(id)) is None:
                continue
            tree = self._task_tree(task, view, listing.fields)
            if "stats" in tree and not tree["stats"]:
                tree["stats"] = None
            if not tree.get("template-id", True):
                del tree["template-id"]
            yield dict(sorted(tree.items()))

    async def _listed(self, name: str, trees: Iterator[dict[str, Any]]) -> Answer:
        """A list, created while the compute thread continues its work.

        It reads records that are replaced as a whole, counters and sizes: each is
        correct by itself, but one may be a moment older than the next.
        """
        reader = self._compute.reader
        found = await reader.run(list, trees)
        return await Listed({}, name, found, lambda tree: tree).answer(reader)

    def _create_task(self, request: Request) -> Answer:
        task = self._tasks.create(Body.of(request.body), self._policy)
        return self._task_answer(task, View())

    def _get_task(self, request: Request) -> Answer:
        id, slash, endpoint = request.rest.partition("/")
        if slash:
            return self._page(id, endpoint)
        master = self._tasks.master
        if replay := request.parameter("replay-id"):
            found = self.replays(replay)
            if found is None:
                raise InvalidError(f"no running replay with ID: {replay}")
            master = found
        view = View.of(request)
        return self._task_answer(self._tasks.get(id), view, master)

    def _update_task(self, request: Request) -> Answer:
        body = Body.of(request.body)
        task = self._tasks.update(request.rest, body, self._policy)
        return self._task_answer(task, View())

    def _delete_task(self, request: Request) -> Answer:
        self._tasks.delete(request.rest)
        return NO_CONTENT

    def _page(self, task: str, endpoint: str) -> Answer:
        page = self._pages.page(task, endpoint)
        if page is None:
            return NOT_FOUND
        try:
            return compact(page.json(), newline=False)
        except ValueError as error:  # NaN and infinite numbers, which JSON lacks
            raise FailedError(str(error)) from error

    def _task_answer(
        self, task: Task, view: View, master: TaskMaster | None = None
    ) -> Answer:
        """A task, with a header about nodes that have no effect."""
        answer = pretty(self._task_tree(task, view, master=master))
        caveats = "; ".join(self._caveats(task))
        if not caveats:
            return answer
        return dataclasses.replace(
            answer, headers={"Warning": f'199 kapacitor "{caveats}"'}
        )

    def _caveats(self, task: Task) -> Sequence[str]:
        if not task.enabled:
            return ()
        running = self._tasks.master.get(task.id)
        if running is not None:
            return running.caveats()
        try:
            return self._tasks.script(task).pipeline.caveats()
        except RefusedError:
            # a stored script may be invalid, as the task's error shows
            return ()

    def _task_tree(
        self,
        task: Task,
        view: View,
        fields: frozenset[str] | None = None,
        master: TaskMaster | None = None,
    ) -> dict[str, Any]:
        running = (master or self._tasks.master).get(task.id)
        make: dict[str, Callable[[], Any]] = {
            "link": lambda: self_link(f"{BASE}/tasks/{task.id}"),
            "id": lambda: task.id,
            "template-id": lambda: task.template_id,
            "type": lambda: task.type,
            "dbrps": lambda: [{"db": db, "rp": rp} for db, rp in task.dbrps],
            "script": lambda: _script(self._tasks.shown(task), view),
            "vars": lambda: _vars_tree(self._tasks.shown(task).variables),
            "dot": lambda: self._dot(task, view, running),
            "status": lambda: "enabled" if task.enabled else "disabled",
            "executing": lambda: running is not None,
            "error": lambda: task.error,
            "stats": lambda: {} if running is None else running.stats(),
            "created": lambda: rfc3339(task.created),
            "modified": lambda: rfc3339(task.modified),
            "last-enabled": lambda: rfc3339(task.last_enabled),
        }
        tree = {}
        for key, value in make.items():
            if fields is None or key in fields:
                tree[key] = value()
                # a graph of thousands of nodes takes long
                self._compute.give_way()
        return tree

    def _dot(self, task: Task, view: View, running: ExecutingTask | None) -> str:
        if running is not None:
            return running.dot(labels=view.labels)
        try:
            script = self._tasks.script(task)
        except RefusedError:
            # its variables may no longer fit its template, as its error shows
            return ""
        return dot(script.pipeline, task.id)

    # templates

    async def _list_templates(self, request: Request) -> Answer:
        return await self._listed("templates", self._listed_templates(request))

    def _listed_templates(self, request: Request) -> Iterator[dict[str, Any]]:
        view = View.of(request)
        listing = Listing.of(request, _TEMPLATE_FIELDS)
        fields = listing.fields if request.query.get("fields") else _TEMPLATE_LISTED
        for id in listing.pick([each.id for each in self._templates.records.all()]):
            if (template := self._templates.records.get(id)) is not None:
                tree = self._template_tree(template, view, fields)
                yield dict(sorted(tree.items()))

    def _create_template(self, request: Request) -> Answer:
        template = self._templates.create(Body.of(request.body))
        return pretty(self._template_tree(template, View()))

    def _get_template(self, request: Request) -> Answer:
        view = View.of(request)
        return pretty(self._template_tree(self._templates.get(request.rest), view))

    def _update_template(self, request: Request) -> Answer:
        body = Body.of(request.body)
        template = self._templates.update(request.rest, body, self._policy)
        return pretty(self._template_tree(template, View()))

    def _delete_template(self, request: Request) -> Answer:
        self._templates.delete(request.rest)
        return NO_CONTENT

    def _template_tree(
        self, template: TaskTemplate, view: View, fields: frozenset[str] | None = None
    ) -> dict[str, Any]:
        script = self._templates.compiled(template)
        shown = self._templates.shown(template, script.variables)
        tree = {
            "link": self_link(f"{BASE}/templates/{template.id}"),
            "id": template.id,
            "type": template.type,
            "script": _script(shown, view),
            "vars": _vars_tree(shown.variables),
            "dot": dot(script.pipeline, template.id),
            "error": template.error,
            "created": rfc3339(template.created),
            "modified": rfc3339(template.modified),
        }
        return {k: v for k, v in tree.items() if fields is None or k in fields}


def _parse(body: bytes) -> None:
    """Parse the script of a body, if it has one, before its request's turn."""
    # the request reports the error when its turn comes
    with contextlib.suppress(RefusedError, ScriptError):
        parse(Body.of(body).script)


def _script(shown: Shown, view: View) -> str:
    return shown.script if view.raw else formatted(shown.script)


def _vars_tree(variables: Mapping[str, Var]) -> dict[str, Any]:
    return {name: encode(var) for name, var in sorted(variables.items())}
