"""Compiles templates once, as Python compiles its modules.

Compiling all templates takes three times as long as starting Python. The code is kept
beside this package's compiled modules, and recompiled when a template, Python or Jinja
changes.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from collections.abc import MutableMapping
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2

from scaffold.disk import caches


class CompiledLoader(jinja2.BaseLoader):
    """Loads templates from a folder, and their compiled code from a file.

    Attributes:
        folder: folder of the templates.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._codes: dict[str, CodeType] = {}

    def load(
        self,
        environment: jinja2.Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # jinja2's name for it
    ) -> jinja2.Template:
        """A template.

        Raises:
            jinja2.TemplateNotFound: the template does not exist.
        """
        if not self._codes:
            self._codes = self._kept(environment)
        if name not in self._codes:
            raise jinja2.TemplateNotFound(name)
        code = self._codes[name]
        return jinja2.Template.from_code(environment, code, globals or {})

    def _kept(self, environment: jinja2.Environment) -> dict[str, CodeType]:
        files = sorted(self.folder.rglob("*.j2"))
        state = repr([(str(file), file.stat().st_mtime_ns) for file in files])
        key = f"{importlib.util.MAGIC_NUMBER!r} {jinja2.__version__} {state}"
        cache = Path(importlib.util.cache_from_source(__file__)).with_suffix(
            ".templates"
        )
        try:
            known, codes = marshal.loads(cache.read_bytes())
        except (OSError, ValueError, EOFError, TypeError):
            known, codes = "", {}
        if known == key:
            found: dict[str, CodeType] = codes
            return found
        made = {
            file.relative_to(self.folder).as_posix(): environment.compile(
                file.read_text("utf-8"),
                file.relative_to(self.folder).as_posix(),
                str(file),
            )
            for file in files
        }
        # as Python's own compiled modules
        if not sys.dont_write_bytecode:
            caches.keep(str(cache), marshal.dumps((key, made)))
        return made
