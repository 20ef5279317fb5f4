"""Templates that a project overrides, rendered in the sandbox."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

from jinja2 import TemplateSyntaxError

from scaffold.errors import TemplateFailed
from scaffold.rendering.filters import FILTERS, written
from scaffold.rendering.overrides import Overrides
from scaffold.rendering.product import templates_path
from scaffold.rendering.sandbox import Sandbox

_PARTS = "parts/"


def governs(overrides: Overrides, template: str) -> bool:
    """True if overrides may change a template's output."""
    return any(
        each.name == template or each.name.startswith(_PARTS) for each in overrides
    )


def rendered(template: str, values: Mapping[str, object], overrides: Overrides) -> str:
    """The text that a template gives in the sandbox.

    Raises:
        TemplateFailed: it cannot be rendered.
    """
    environment = sandbox(overrides)
    environment.spent = 0
    with failing(template, overrides):
        return environment.get_template(template).render(**values)


@contextlib.contextmanager
def failing(template: str, overrides: Overrides) -> Iterator[None]:
    """Blame failures in the block on the project's templates.

    Raises:
        TemplateFailed: for any error.
    """
    try:
        yield
    except TemplateFailed:
        raise
    # a template of the project can make anything fail
    except Exception as error:
        paths = {str(each.path): each for each in overrides}
        path, line = _place(error, set(paths))
        if not path:
            names = {each.name: str(each.path) for each in overrides}
            path = names.get(template, str(overrides[0].path))
        problem = str(error) or type(error).__name__
        raise TemplateFailed(f"{path}:{line}" if line else path, problem) from None


def _place(error: Exception, paths: set[str]) -> tuple[str, int]:
    """The template of the project, and the line in it, that an error comes from."""
    if isinstance(error, TemplateSyntaxError) and error.filename in paths:
        return error.filename, error.lineno
    found = ("", 0)
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in paths:
            found = (name, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _is_current() -> bool:
    """True: templates do not change during a run."""
    return True


@functools.lru_cache(maxsize=4)
def sandbox(overrides: Overrides, kind: type[Sandbox] = Sandbox) -> Sandbox:
    """The environment for templates of a project.

    Args:
        overrides: the templates.
        kind: its class.
    """
    ours = templates_path()
    own = {each.name: each for each in overrides}

    def text(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        if name in own:
            return own[name].text, str(own[name].path), _is_current
        # a name comes from a template, so only the product's own names may become files
        for file in ours.rglob("*.j2"):
            if file.relative_to(ours).as_posix() == name:
                return file.read_text("utf-8"), str(file), _is_current
        return None

    return kind(text, FILTERS, written)
