"""Flags as Go's flag package reads them: `-name value`, `-name=value`, one dash or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.client.errors import HelpRequested, UsageError

TRUE = frozenset(["1", "t", "T", "TRUE", "true", "True"])
FALSE = frozenset(["0", "f", "F", "FALSE", "false", "False"])


class Flags:
    """The flags of a command line and its other arguments.

    Attributes:
        rest: the arguments after the flags.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        texts: Sequence[str] = (),
        bools: Sequence[str] = (),
    ) -> None:
        """Read `arguments`; `texts` are flags with a value, `bools` switches.

        Raises:
            UsageError: a flag is unknown, or lacks its value.
        """
        self._values: dict[str, list[str]] = {}
        rest = list(arguments)
        while rest and rest[0].startswith("-") and rest[0] != "-":
            argument = rest.pop(0)
            if argument == "--":
                break
            name, equals, value = argument.lstrip("-").partition("=")
            if name in bools:
                value = value if equals else "true"
            elif name not in texts and name in ("h", "help"):
                raise HelpRequested("")
            elif name not in texts:
                raise UsageError(f"flag provided but not defined: -{name}")
            elif not equals:
                if not rest:
                    raise UsageError(f"flag needs an argument: -{name}")
                value = rest.pop(0)
            self._values.setdefault(name, []).append(value)
        self.rest = rest

    def text(self, name: str) -> str:
        """The last value of a flag, or "" if it was not given."""
        return self._values.get(name, [""])[-1]

    def texts(self, name: str) -> list[str]:
        """All values of a flag that may be repeated."""
        return self._values.get(name, [])

    def is_set(self, name: str) -> bool:
        """True if a switch is on.

        Raises:
            UsageError: its value is not a boolean.
        """
        value = self.text(name)
        if value and value not in TRUE | FALSE:
            raise UsageError(
                f'invalid boolean value "{value}" for -{name}: parse error'
            )
        return value in TRUE


def environment_bool(environment: Mapping[str, str], name: str) -> bool:
    """A boolean environment variable; unset or empty is false.

    Raises:
        ValueError: its text is not a boolean.
    """
    value = environment.get(name, "")
    if value and value not in TRUE | FALSE:
        raise ValueError(f'strconv.ParseBool: parsing "{value}": invalid syntax')
    return value in TRUE
