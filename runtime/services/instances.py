"""Several sections of one service, such as `[[slack]]`, and the choice among them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from runtime.errors import ConfigError
from runtime.golang.quoting import quote
from runtime.settings import key_of

T = TypeVar("T")
Default = Literal["flag", "only", "none"]


@dataclass(frozen=True, slots=True)
class Instances:
    """The rules of a service with several sections, each with a name.

    Attributes:
        key: setting with the name of a section: `workspace`.
        option: option of handlers with the name of the section that they use.
        title: name of the service in errors.
        default: section of handlers that name none: `flag` for the section with
            `default`, or the only one; `only` for the only one; `none`.
    """

    key: str
    option: str
    title: str
    default: Default

    def name(self, config: Any) -> str:
        """The name of a section."""
        return str(getattr(config, attribute(type(config), self.key)))

    def chosen(self, options: Any) -> str:
        """The name of the section in a handler's options; "" for the default one."""
        return str(getattr(options, attribute(type(options), self.option)))

    def initial(self, section: type[T]) -> tuple[T, ...]:
        """The sections of a configuration file that has none."""
        if self.default == "flag":
            return (section(default=True),)  # type: ignore[call-arg] # it has this flag
        made = section()
        is_usable = self.default == "only" or self.name(made)
        return (made,) if is_usable else ()

    def default_of(self, configs: Sequence[T]) -> T | None:
        """The section of handlers that name none, or None.

        If several sections have the flag, it is the last: while the API moves the flag
        from one to another, both have it.
        """
        if self.default == "none":
            return None
        flagged = [each for each in configs if getattr(each, "default", False)]
        if flagged:
            return flagged[-1]
        return configs[0] if len(configs) == 1 else None

    def by_name(self, configs: Sequence[T]) -> dict[str, T]:
        """The sections by name; the default one is also `""`."""
        found = {self.name(each): each for each in configs}
        default = self.default_of(configs)
        return found if default is None else {**found, "": default}

    def validate(self, configs: Sequence[Any]) -> None:
        """Check the sections of a configuration file.

        Raises:
            ConfigError: a name is missing or not unique, or there are no or several
                defaults.

        Source: Kapacitor services/slack, Configs.Validate.
        """
        names = [self.name(each) for each in configs]
        is_needed = len(configs) > 1 or self.default == "none"
        if is_needed and any(
            not name and (len(configs) > 1 or each.enabled)
            for name, each in zip(names, configs, strict=True)
        ):
            raise ConfigError("id must not be empty")
        for name, count in Counter(names).items():
            if count > 1:
                raise ConfigError(f"{self.key} {quote(name)} is not unique")
        self.check(configs)
        flagged = [each for each in configs if getattr(each, "default", False)]
        if len(flagged) > 1:
            raise ConfigError(f"only one {self.title} config may be set as default")

    def check(self, configs: Sequence[Any]) -> None:
        """Check sections that may have been changed one by one.

        Raises:
            ConfigError: the default is missing, or another section is global.

        Source: Kapacitor services/slack, Configs.Validate.
        """
        default = self.default_of(configs)
        for each in configs:
            is_default = each is default or getattr(each, "default", False)
            is_global = getattr(each, "global_", False)
            if is_global and not is_default:
                raise ConfigError("only the default config may be assigned as global")
            if getattr(each, "state_changes_only", False) and not is_global:
                raise ConfigError(
                    "stateChangesOnly may only be assigned when the config is both "
                    "default and global"
                )
        if self.default == "flag" and configs and default is None:
            raise ConfigError(
                f"at least one {self.title} config must be set as default"
            )

    def missing(self, name: str, kind: str, known: Mapping[str, Any]) -> str:
        """The error for a section that does not exist, in Kapacitor's words.

        Args:
            name: name in the handler's options.
            kind: the kind of the service.
            known: the sections by name.
        """
        if not known:
            return f"no {kind} configuration found"
        if self.default == "flag":
            return f"{self.option} id not found"
        return f"unknown {self.option} {quote(name)}"


def attribute(cls: Any, key: str) -> str:
    """The attribute of a dataclass that holds the value of a key."""
    return _attribute(cls, key)


@cache
def _attribute(cls: Any, key: str) -> str:
    [found] = [each.name for each in dataclasses.fields(cls) if key_of(each) == key]
    return found
