"""The flags that describe a new handler, each declared once.

The command line takes its options from these declarations, `spec/draft.py` the spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

_SETTING = "NAME:TYPE[=DEFAULT]"


class Flag(NamedTuple):
    """One flag of the command line.

    Attributes:
        option: its spelling: `--title`.
        help: one line of `--help`.
        metavar: placeholder of its value, or None.
        key: key of `[handler]` that it sets, or "".
        switch: entry of `handler.flags` that it adds, or "".
    """

    option: str
    help: str
    metavar: str | None = None
    key: str = ""
    switch: str = ""


def _flag(default: Any, *declared: Any, **more: Any) -> Any:
    return field(default=default, metadata={"flag": Flag(*declared, **more)})


@dataclass(frozen=True)
class Flags:
    """Description of a handler on the command line.

    Attributes:
        name: the handler's name, or "".
        fields: each `--field`, as `NAME:TYPE[=DEFAULT]`.
        config: each `--config`.
        options: each `--option`.
        is_global: true with `--global`.
        state_changes_only: true with `--state-changes-only`.
        title: `--title`, or "".
        property_name: `--property`, or "".
        message_key: `--message-key`, or "".
        auth: `--auth`, or "".
        url: `--url`, or "".
        is_form: true with `--form`.
    """

    name: str = ""
    fields: Sequence[str] = _flag(
        (), "--field", "Add a setting that each alert can override.", _SETTING
    )
    config: Sequence[str] = _flag(
        (), "--config", "Add a setting of the configuration file.", _SETTING
    )
    options: Sequence[str] = _flag(
        (), "--option", "Add an option of each alert.", _SETTING
    )
    is_global: bool = _flag(
        False,
        "--global",
        "Add the setting 'global': serve alerts without this handler.",
        switch="global",
    )
    state_changes_only: bool = _flag(
        False,
        "--state-changes-only",
        "Add the setting 'state-changes-only' to a global handler.",
        switch="state-changes-only",
    )
    title: str = _flag(
        "", "--title", "Name of the service in prose (default: from NAME).", key="title"
    )
    property_name: str = _flag(
        "",
        "--property",
        "TICKscript property (default: from NAME).",
        "NAME",
        key="property",
    )
    message_key: str = _flag(
        "", "--message-key", "Key of the message in the request.", "KEY"
    )
    auth: str = _flag(
        "", "--auth", "Send a secret: bearer, basic, or another scheme.", "SCHEME"
    )
    url: str = _flag(
        "", "--url", "URL of the API; {FIELD} in its path or query is a field.", "URL"
    )
    is_form: bool = _flag(False, "--form", "Send a form instead of JSON.")

    @property
    def describes_request(self) -> bool:
        """True if flags describe the request beyond its fields."""
        return bool(self.message_key or self.auth or self.url or self.is_form)

    def handler_keys(self) -> dict[str, str]:
        """The keys of `[handler]` that flags set, with their values."""
        return {
            flag.key: getattr(self, name)
            for name, flag, _ in declared()
            if flag.key and getattr(self, name)
        }

    def switches(self) -> list[str]:
        """The value of `handler.flags`."""
        added = [
            flag.switch
            for name, flag, _ in declared()
            if flag.switch and getattr(self, name)
        ]
        return ["enabled", *added]


def declared() -> list[tuple[str, Flag, Any]]:
    """The name, declaration and default of each flag, in the order of `--help`."""
    return [
        (each.name, each.metadata["flag"], each.default)
        for each in fields(Flags)
        if each.metadata
    ]
