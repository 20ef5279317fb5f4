"""The share of generated text that comes from templates: characters, by file.

    python bench/share.py [--spec handler.toml]

The output of a template's expressions counts as Python, and so do imports of the functions
that expressions call. All other text is template text, which grep finds; import lines are
selected from `parts/imports.py.j2`. Recorded requests are left out, since the generated code
makes them. Aims: at most 20 % from Python for a handler made of flags, 35 % for a spec that
uses everything.
"""

from __future__ import annotations

import argparse
import ast
from pathlib import Path
from typing import NamedTuple

import jinja2

from runtime.services import expressions
from scaffold import places
from scaffold.flags import Flags
from scaffold.layout.imports import with_imports
from scaffold.rendering import render as rendering
from scaffold.rendering.filters import written
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import from_flags, parse

START, END = "\ue000", "\ue001"
EVERYTHING = Path(__file__).parents[1] / "tests/scaffold/specs/everything.toml"
RECORDED = "__snapshots__"


class Share(NamedTuple):
    """The characters of a file.

    Attributes:
        template: number of characters from template text.
        python: number of characters from Python.
    """

    template: int = 0
    python: int = 0

    @property
    def percent(self) -> float:
        """The percentage of characters that are not from a template."""
        return 100 * self.python / (sum(self) or 1)

    def plus(self, other: Share) -> Share:
        """The sum of both."""
        return Share(self.template + other.template, self.python + other.python)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=Path)
    asked = parser.parse_args()
    if asked.spec:
        report(asked.spec.name, parse(asked.spec.read_text(), str(asked.spec)))
        return
    report("flags only", from_flags(Flags("foo", fields=("room:str",))))
    report("everything", parse(EVERYTHING.read_text(), str(EVERYTHING)))


def report(title: str, spec: HandlerSpec) -> None:
    """Print the shares of all files of one handler."""
    found = shares(spec)
    print(f"{title}: {total(found).percent:.1f} % from Python")
    for path, share in found.items():
        print(
            f"{share.percent:7.1f} %  {share.template:6} template"
            f" {share.python:6} Python  {path}"
        )


def total(found: dict[str, Share]) -> Share:
    """The share of all files together."""
    made = Share()
    for share in found.values():
        made = made.plus(share)
    return made


def shares(spec: HandlerSpec, package: str = "runtime") -> dict[str, Share]:
    """The shares of a handler's generated files, by path."""
    environment = rendering.environment(
        finalize=lambda value: f"{START}{written(value)}{END}"
    )
    found = {}
    for file in places.files(spec.names, package):
        if RECORDED not in str(file.path):
            found[str(file.path)] = _share(environment, file.template, spec, package)
    return found


def _share(
    environment: jinja2.Environment, template: str, spec: HandlerSpec, package: str
) -> Share:
    marked = environment.get_template(template).render(
        **rendering.values(template, spec, package)
    )
    text = marked.replace(START, "").replace(END, "")
    depth = python = 0
    for char in marked:
        depth += (char == START) - (char == END)
        python += depth > 0 and char not in (START, END)
    share = Share(len(text) - python, python)
    is_code = template.endswith(".py.j2")
    return share.plus(_imports(text, spec, package)) if is_code else share


def _imports(text: str, spec: HandlerSpec, package: str) -> Share:
    """The import block of a module; it is selected from a template, but for functions."""
    known = rendering.importable(spec, package)
    whole = with_imports(text, package, known)
    python = 0
    for node in ast.parse(whole).body:
        if isinstance(node, ast.ImportFrom):
            segment = ast.get_source_segment(whole, node) or ""
            is_function = node.module == expressions.__name__
            named = [each.name for each in node.names if each.name in known]
            python += len(segment) if is_function else 0
            if str(node.module).startswith(f"{package}.services.{spec.names.kind}"):
                python += len(package) + len(spec.names.kind) * str(node.module).count(
                    spec.names.kind
                )
                python += sum(spec.names.class_name in each for each in named) * len(
                    spec.names.class_name
                )
    return Share(len(whole) - len(text) - python, python)


if __name__ == "__main__":
    main()
