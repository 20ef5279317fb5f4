"""The flags of the `kapacitord` command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.errors import KapacitorError

# Kapacitor's flags that have no effect here, and are refused for that reason
UNSUPPORTED = ("cpuprofile", "memprofile")
RUN_FLAGS = frozenset(
    (
        *("config", "hostname", "pidfile", "log-file", "log-level"),
        *("disable-handlers", "blacklist-cidrs", "lenient", "no-project"),
        *UNSUPPORTED,
    )
)
CONFIG_FLAGS = frozenset(
    ("config", "hostname", "lenient", "no-project", "show-secrets")
)
# flags without a value
SWITCHES = frozenset(("lenient", "no-project", "show-secrets"))
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class UsageError(KapacitorError):
    """The command line is wrong."""


def flags(arguments: Sequence[str], known: frozenset[str]) -> dict[str, str]:
    """The flags given, by name; `-a b`, `-a=b`, `--a b`, and `-a` for a switch.

    Raises:
        UsageError: a flag is unknown or lacks its value; the texts are Go's.
    """
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            break
        name, equals, value = (
            argument.removeprefix("-").removeprefix("-").partition("=")
        )
        if name not in known:
            raise UsageError(f"flag provided but not defined: -{name}")
        if name in SWITCHES:
            if _is_on(name, value if equals else "true"):
                found[name] = "true"
            continue
        if not equals:
            if not rest:
                raise UsageError(f"flag needs an argument: -{name}")
            value = rest.pop(0)
        found[name] = value
    return found


def _is_on(name: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise UsageError(f'invalid boolean value "{value}" for -{name}: parse error')
    return value in _TRUE


def listed(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The values of a flag that has several, as `a,b`."""
    values = (value.strip() for value in given.get(name, "").split(","))
    return tuple(filter(None, values))
