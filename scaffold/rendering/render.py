"""Renders templates. Values reach them as attributes of the view, already literals."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

import jinja2

from scaffold.layout.fit import fit_module
from scaffold.layout.imports import table, with_imports
from scaffold.layout.style import PLAIN, Style
from scaffold.rendering.compiled import CompiledLoader
from scaffold.rendering.filters import FILTERS, written
from scaffold.rendering.overrides import Overrides
from scaffold.rendering.product import templates_path
from scaffold.rendering.samples.sample import Sample
from scaffold.rendering.sandboxed import failing, governs, rendered
from scaffold.rendering.views.configuration import ConfigurationView
from scaffold.rendering.views.documents import DocumentView
from scaffold.rendering.views.fake import FakeView
from scaffold.rendering.views.options import OptionsView, PropertyView
from scaffold.rendering.views.service import ServiceView
from scaffold.rendering.views.tests import TestsView
from scaffold.rendering.views.view import View
from scaffold.spec.model.handler import HandlerSpec

_VIEWS: dict[str, type[View]] = {
    "config.py.j2": ConfigurationView,
    "handler.py.j2": OptionsView,
    "property.py.j2": PropertyView,
    "service.py.j2": ServiceView,
    "KINDtest.py.j2": FakeView,
    "test_KIND_service.py.j2": TestsView,
}
"""The views of templates by name; all others are documents."""


def render(
    template: str,
    spec: HandlerSpec,
    package: str = "runtime",
    style: Style = PLAIN,
    overrides: Overrides = (),
) -> str:
    """The text that a template gives for a handler.

    Whole Python files get their imports and their layout. Entries of shared files are
    laid out when they are inserted.

    Args:
        template: its path below `templates/`, as `create/…/config.py.j2`.
        spec: the handler.
        package: the import package of the runtime it goes into.
        style: layout settings of the project.
        overrides: templates of the project.

    Raises:
        TemplateFailed: a template of the project does not work.
    """
    text = _filled(template, values(template, spec, package, style), overrides)
    if not template.startswith("create/") or not template.endswith(".py.j2"):
        return text
    with failing(template, overrides) if overrides else contextlib.nullcontext():
        known = importable(spec, package, overrides)
        text = with_imports(text, package, known, style.line_length)
        return fit_module(text, style)


def importable(
    spec: HandlerSpec, package: str, overrides: Overrides = ()
) -> dict[str, str]:
    """The names that a handler's modules may import, and their modules."""
    names = spec.names
    known = _importable(package, names.kind, names.class_name, overrides)
    services = f"{package}.services.{names.kind}"
    return dict(known) | {
        name: f"{services}.{'config' if each.is_configured else 'handler'}"
        for name, each in spec.records.items()
    }


@lru_cache
def _importable(
    package: str, kind: str, class_name: str, overrides: Overrides
) -> Mapping[str, str]:
    names = {"package": package, "kind": kind, "class_name": class_name}
    return table(_filled("parts/imports.py.j2", names, overrides))


def filled(template: str, **values: object) -> str:
    """The text that a template gives for `values`, for templates that need no spec."""
    return _filled(template, values, ())


def _filled(template: str, values: Mapping[str, object], overrides: Overrides) -> str:
    if governs(overrides, template):
        return rendered(template, values, overrides)
    return environment().get_template(template).render(**values)


def values(
    template: str, spec: HandlerSpec, package: str, style: Style = PLAIN
) -> dict[str, object]:
    """The values for a template: the handler's names and the template's view."""
    view = _VIEWS.get(template.rpartition("/")[2], DocumentView)
    return {"view": view(spec, sample_of(spec), style), **_names(spec, package)}


def _names(spec: HandlerSpec, package: str) -> dict[str, object]:
    return {
        "package": package,
        "kind": spec.names.kind,
        "property": spec.names.property,
        "class_name": spec.names.class_name,
        "title": spec.title,
    }


_samples: list[Sample] = []


def sample_of(spec: HandlerSpec) -> Sample:
    """The sample of a spec; the last one is kept, since a spec has many templates."""
    if not _samples or _samples[0].spec is not spec:
        _samples[:] = [Sample(spec, _tried, importable(spec, "runtime"))]
    return _samples[0]


def _tried(spec: HandlerSpec) -> dict[str, str]:
    """The modules that are run to find samples, rendered without a sample."""
    unknown: Any = SimpleNamespace(test_level=None, url_keys=frozenset())
    names, known = _names(spec, "runtime"), importable(spec, "runtime")
    made = {}
    for module in ("config", "handler", "service"):
        template = f"create/runtime/services/KIND/{module}.py.j2"
        view = _VIEWS[f"{module}.py.j2"](spec, unknown, PLAIN)
        text = environment().get_template(template).render(view=view, **names)
        name = f"runtime.services.{spec.names.kind}.{module}"
        made[name] = with_imports(text, "runtime", known)
    return made


@cache
def environment(finalize: Callable[[Any], Any] = written) -> jinja2.Environment:
    """The product's templates, as they are rendered here.

    Args:
        finalize: makes text of each value that a template prints.
    """
    made = jinja2.Environment(
        loader=CompiledLoader(templates_path()),
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.filters |= FILTERS
    return made
