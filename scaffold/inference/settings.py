"""The settings and options that the values of an example become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scaffold import names
from scaffold.spec.toml import toml_key, toml_table, toml_text


@dataclass(frozen=True)
class Setting:
    """A setting of the configuration.

    Attributes:
        table: its keys in `[config]`.
        why: the reason for it.
        example: its value in the example.
        is_option: true if each alert can override it.
    """

    table: dict[str, Any]
    why: str
    example: Any
    is_option: bool = False


class Settings:
    """The settings of a handler, in the order of the example."""

    def __init__(self) -> None:
        self._by_key: dict[str, Setting] = {}

    def get(self, key: str) -> Setting | None:
        """The setting of that key."""
        return self._by_key.get(key)

    def add(self, key: str, setting: Setting) -> str:
        """Add a setting.

        Returns:
            Its key; a new one if the key already has another value.
        """
        made, number = key, 2
        while self._by_key.get(made, setting).example != setting.example:
            made = f"{key}-{number}"
            number += 1
        self._by_key.setdefault(made, setting)
        return made

    def secret(self, key: str, why: str) -> tuple[str, str]:
        """The expression for a new secret, and its value in the example."""
        key = key or "token"
        example = f"example-{key}"
        doc = f"{key.replace('-', ' ')} of the account."
        table = {"secret": True, "required": "enabled", "doc": doc}
        key = self.add(key, Setting(table, why, example))
        return f"config.{names.identifier(key)}", example

    def field(self, key: str, example: Any, why: str) -> str:
        """The expression for a new setting that each alert can override."""
        key = key or "value"
        type_name = _TYPES.get(type(example))
        table = {"type": type_name} if type_name else {}
        table["doc"] = f"default {key.replace('-', ' ')} for handlers."
        key = self.add(key, Setting(table, why, example, is_option=True))
        return f"opt.{names.identifier(key)}"

    def config_table(self) -> str:
        """`[config]`, with the reason above each setting."""
        lines = ["[config]"]
        for key, each in self._by_key.items():
            lines.append(f"# {each.why}")
            lines.append(f"{toml_key(key)} = {toml_text(each.table)}")
        return "\n".join(lines) + "\n"

    def option_table(self) -> str:
        """`[option]`, or "" without options."""
        options = {
            key: {
                "default": f"config.{names.identifier(key)}",
                "doc": f"{key.replace('-', ' ')}; defaults to the configured one.",
            }
            for key in self.examples(is_option=True)
        }
        return toml_table("[option]", options) if options else ""

    def test_values(self) -> dict[str, str]:
        """The options of the service test."""
        options = self.examples(is_option=True)
        return {key: f"${{config.{names.identifier(key)}}}" for key in options}

    def examples(self, *, is_option: bool) -> dict[str, Any]:
        """The values in the example, of options or of the other settings."""
        return {
            key: each.example
            for key, each in self._by_key.items()
            if each.is_option is is_option
        }


_TYPES = {bool: "bool", int: "int", float: "float", list: "list[str]"}
