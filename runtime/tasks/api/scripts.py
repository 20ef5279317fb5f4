"""From a task's script to its pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runtime.errors import ForbiddenError, InvalidError, ScriptError
from runtime.pipeline.alert import AlertNode
from runtime.pipeline.evaluate import EvaluatedScript, dbrps, evaluate, task_type
from runtime.pipeline.node import DeadmanSettings
from runtime.pipeline.properties import HandlerProperties
from runtime.pipeline.sideload import SideloadNode
from runtime.services.alert.policy import Policy
from runtime.tasks.api.records import DBRP, Task, TaskTemplate
from runtime.tick import ast
from runtime.tick.format import format as format_script
from runtime.tick.parser import parse
from runtime.tick.variables import Vars

# anyone who may name a directory can read its files
_SIDELOAD = (
    "sideload nodes may not read files: the API can be reached from other machines "
    "without credentials; require them, or put the task into the load directory"
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A script that parses.

    Attributes:
        program: syntax tree of the script.
        type: `stream` or `batch`.
        dbrps: databases and retention policies that the script itself names.
    """

    program: ast.ProgramNode
    type: str
    dbrps: tuple[DBRP, ...]


def parsed(script: str) -> Parsed:
    """A script, its type and its databases.

    Raises:
        RefusedError: the script is empty, does not parse, or has no valid type.
    """
    if not script:
        raise InvalidError("must provide TICKscript")
    try:
        program = parse(script)
    except ScriptError as error:
        raise InvalidError(f"invalid TICKscript: {error}") from None
    kind = task_type(program)
    if kind not in ("stream", "batch"):
        raise InvalidError(f"invalid task type: {kind}")
    return Parsed(program, kind, dbrps(program))


@dataclass(frozen=True, slots=True)
class ScriptCompiler:
    """Compiles the scripts of tasks and templates.

    Attributes:
        deadman: deadman settings of the server.
        handlers: handlers available to alert nodes.
        pause: called between the calls of a script, so that other work can run.
    """

    deadman: DeadmanSettings
    handlers: HandlerProperties
    pause: Callable[[], None] = lambda: None

    def task(self, task: Task) -> EvaluatedScript:
        """The script of a task, with its variables.

        Raises:
            RefusedError: its script is wrong.
        """
        return self._evaluated(task.script, task.type, task.vars, template=False)

    def template(self, template: TaskTemplate) -> EvaluatedScript:
        """The compiled script of a template, whose variables have no values.

        Raises:
            RefusedError: its script is wrong.
        """
        return self._evaluated(template.script, template.type, {}, template=True)

    def _evaluated(
        self, script: str, kind: str, variables: Vars, *, template: bool
    ) -> EvaluatedScript:
        try:
            return evaluate(
                parse(script),
                "batch" if kind == "batch" else "stream",
                variables,
                template=template,
                deadman=self.deadman,
                handlers=self.handlers,
                pause=self.pause,
            )
        except ScriptError as error:
            raise InvalidError(f"invalid TICKscript: {error}") from None


def check_handlers(script: EvaluatedScript, policy: Policy) -> None:
    """Check which files, programs and addresses a script uses.

    Raises:
        RefusedError: the policy forbids one of them.
    """
    if policy.is_open:
        return
    names = script.pipeline.handlers
    for node in script.pipeline.nodes:
        if isinstance(node, SideloadNode):
            raise ForbiddenError(_SIDELOAD)
        for handler in node.handlers if isinstance(node, AlertNode) else ():
            policy.check(names.name_of(type(handler)), handler)


def formatted(script: str) -> str:
    """The script in the usual layout; unchanged if it does not parse."""
    try:
        return format_script(parse(script))
    except ScriptError:
        return script
