"""Classes as text, `runtime.services.foo.service:Service`, imported when they are needed."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from runtime.errors import ConfigError
from runtime.lazy import Lazy

T = TypeVar("T")

Reference = str | type[Any]
"""A class: `MODULE:CLASS`, or the class itself, which is imported already."""

_FORM = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


class References(Lazy[T]):
    """Classes by name, imported one by one when they are read.

    Attributes:
        entries: the reference of each class.
    """

    def __init__(self, word: str, entries: Mapping[str, Reference]) -> None:
        """Make the mapping.

        Args:
            word: noun for an entry in errors, such as "service".
            entries: reference of each name.

        Raises:
            ConfigError: a reference is not of the form `MODULE:CLASS`.
        """
        for name, entry in entries.items():
            if isinstance(entry, str) and not _FORM.fullmatch(entry):
                raise ConfigError(
                    f"{word} {name!r}: invalid reference {entry!r}: write MODULE:CLASS, "
                    "such as alerts.services.huddle.service:Service"
                )
        self._word = word
        self.entries: Mapping[str, Reference] = dict(entries)
        classes: dict[str, Any] = {
            name: entry
            for name, entry in self.entries.items()
            if not isinstance(entry, str)
        }
        super().__init__(self.entries, self._imported, classes)

    def loaded(self) -> Mapping[str, T]:
        """The classes whose modules are imported, in order."""
        found = {name: _loaded(entry) for name, entry in self.entries.items()}
        return {name: each for name, each in found.items() if each is not None}

    def _imported(self, name: str) -> Any:
        """Import the class of a name.

        Raises:
            ConfigError: the class cannot be imported.
        """
        entry = str(self.entries[name])
        module, _, attribute = entry.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute, None)
        # a plugin may raise anything, and the error has to name the plugin
        except Exception as error:
            problem = (
                f"importing {module} failed with {type(error).__name__}: {error}. "
                f"{way_out(error)}"
            )
        else:
            if isinstance(found, type):
                return found
            problem = f"{module} has no class {attribute}. Correct the reference"
        raise ConfigError(f"cannot load the {self._word} {name!r} ({entry}): {problem}")


def loaded(classes: Mapping[str, T]) -> Mapping[str, T]:
    """The classes of a mapping whose modules are imported already."""
    return classes.loaded() if isinstance(classes, References) else classes


def way_out(error: Exception) -> str:
    """Advice for a plugin whose import fails with `error`."""
    if isinstance(error, ImportError) and (error.name or "").startswith("runtime."):
        return (
            "It was made for another version of the runtime: run `scaffold regenerate "
            "--all` in its project"
        )
    return (
        "Repair or uninstall it, or start in another folder or with -no-project if it is "
        "the project here"
    )


def _loaded(entry: Reference) -> Any:
    """The class of a reference, or None if its module is not imported."""
    if not isinstance(entry, str):
        return entry
    module, _, attribute = entry.partition(":")
    found = getattr(sys.modules.get(module), attribute, None)
    return found if isinstance(found, type) else None
