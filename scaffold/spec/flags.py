"""The spec that the flags of `new-handler` stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runtime.golang.durations import parse_go
from runtime.units import go_duration
from scaffold import names
from scaffold.errors import Fault
from scaffold.prose import folded
from scaffold.spec.model import TYPE_ALIASES, TYPES
from scaffold.spec.reader import Path

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TRUTH = {"true": True, "false": False}
_SHOWN_LENGTH = 60
_FORMS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "flag": "true or false",
    "duration": "as 10s, 1m30s, 500ms",
    "map[str]": "as a=b,c=d",
}
# what tokens look like: a long run of letters with digits among them, or a known start
_TOKEN = re.compile(
    r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}"
    r"|\b(?:xox[a-z]|gh[opsu]|sk|glpat)[-_]|\bAKIA[0-9A-Z]{16}|\bAIza[\w-]{30,}"
)


@dataclass(frozen=True)
class Flags:
    """What was said on the command line.

    Attributes:
        name: the handler's name.
        fields: `NAME:TYPE[=DEFAULT]` of `--field`: configuration and option.
        config: the same of `--config`: configuration only.
        options: the same of `--option`: option only.
        is_global: `--global`.
        is_state_changes_only: `--state-changes-only`.
        title: `--title`, or "".
    """

    name: str
    fields: Sequence[str] = ()
    config: Sequence[str] = ()
    options: Sequence[str] = ()
    is_global: bool = False
    is_state_changes_only: bool = False
    title: str = ""

    @cached_property
    def _settings(self) -> tuple[list[_Said], list[Fault]]:
        said: list[_Said] = []
        faults: list[Fault] = []
        for flag, texts in (
            ("--field", self.fields),
            ("--config", self.config),
            ("--option", self.options),
        ):
            for text in texts:
                setting = _setting(flag, text, faults)
                if setting is not None:
                    said.append(setting)
        kept: dict[str, _Said] = {}
        for each in said:
            other = kept.setdefault(names.identifier(each.key), each)
            if other is not each:
                problem = f"{each.key!r} is said twice, as {other.flag}"
                faults.append(Fault(each.flag, problem))
        return list(kept.values()), faults

    def faults(self) -> list[Fault]:
        """What is wrong with the flags themselves."""
        return self._settings[1]

    def origins(self) -> dict[Path, str]:
        """For each place in the spec, the flag that said it."""
        origins: dict[Path, str] = {
            ("handler", "name"): "NAME",
            ("handler", "property"): "NAME",
            ("handler", "title"): "--title",
            ("handler", "flags"): "--state-changes-only",
        }
        for each in self._settings[0]:
            for table in ("config", "option", "test"):
                origins[(table, each.key)] = each.flag
        return origins

    def stated(self) -> dict[str, Any]:
        """What the flags say of a spec, in the form that `differences` compares."""
        stated: dict[str, Any] = {"handler.flags": sorted(self._switches())}
        if self.title:
            stated["handler.title"] = folded(self.title)
        for each in self._settings[0]:
            shown = shown_setting(each.type, each.value)
            if each.is_config:
                stated[f"config.{each.key}"] = shown
            if each.is_option and each.is_config:
                type_name = "str" if each.type == "url" else each.type
                stated[f"option.{each.key}"] = f"{type_name} from the configuration"
            elif each.is_option:
                stated[f"option.{each.key}"] = shown
        return stated

    def document(self) -> dict[str, Any]:
        """The spec as tables."""
        title = self.title or _title(self.name)
        if names.kind_faults(self.name, ""):
            title = self.title or "Handler"  # the name is a fault of its own
        said = self._settings[0]
        config: dict[str, Any] = {}
        if not any(each.key == "url" and each.is_config for each in said):
            config["url"] = {}
        config |= {each.key: each.config() for each in said if each.is_config}
        config["url"] |= {
            "required": "enabled",
            "error": f"must specify the {title} server URL",
        }
        options = [each for each in said if each.is_option]
        settings = {each.key: each.option() for each in options}
        said_url = any(each.key == "url" and each.is_config for each in options)
        body = {
            each.key: f"${{opt.{names.identifier(each.key)}}}"
            for each in options
            if not (said_url and each.key == "url")
        }
        body["message"] = "${event.message}"
        return {
            "handler": {"name": self.name, "title": title, "flags": self._switches()},
            "config": config,
            **({"option": settings} if settings else {}),
            "request": [
                {"url": "${opt.url}" if said_url else "${config.url}", "json": body}
            ],
            "response": {
                "message": "unexpected response code ${status} from "
                f"{title.replace('${', '$${')} service"
            },
            "test": {
                **{
                    each.key: each.test()
                    for each in options
                    if each.type not in ("secret", "map[str]")
                },
                "message": f"test {self.name} message",
            },
        }

    def to_toml(self) -> str:
        """The spec as a person would write it."""
        document = self.document()
        [request] = document["request"]
        parts = [_table("[handler]", document["handler"])]
        parts.append(_table("[config]", document["config"]))
        if "option" in document:
            parts.append(_table("[option]", document["option"]))
        parts.append(
            _table("[[request]]", {"url": request["url"]})
            + _table("[request.json]", request["json"])
        )
        parts.append(_table("[response]", document["response"]))
        parts.append(_table("[test]", document["test"]))
        return "\n".join(parts)

    def _switches(self) -> list[str]:
        flags = ["enabled"]
        if self.is_global:
            flags.append("global")
        if self.is_state_changes_only:
            flags.append("state-changes-only")
        return flags


@dataclass(frozen=True)
class _Said:
    flag: str
    text: str
    key: str
    type: str
    value: Any
    is_config: bool
    is_option: bool

    def config(self) -> dict[str, Any]:
        table = {} if self.type == "str" else {"type": self.type}
        return table if not self.value else {**table, "default": self._default()}

    def option(self) -> dict[str, Any]:
        if self.is_config:
            default = f"config.{names.identifier(self.key)}"
            # a URL is looked up when it is needed, so that it may be corrected meanwhile
            return {
                "default": default,
                **({} if self.key == "url" else {"bind": "create"}),
            }
        table = {} if self.type == "str" else {"type": self.type}
        return table if not self.value else {**table, "initial": self._default()}

    def test(self) -> Any:
        if self.is_config:
            return f"${{config.{names.identifier(self.key)}}}"
        value = self._default()
        return value.replace("${", "$${") if isinstance(value, str) else value

    def _default(self) -> Any:
        if self.type == "duration":
            return self.text
        return list(self.value) if isinstance(self.value, tuple) else self.value


def _shown(text: str, value: str, *, is_secret: bool) -> str:
    """A flag's value, for messages: neither secrets nor what fills the screen."""
    has_user = "://" in value and "@" in value
    if value and (is_secret or has_user or looks_like_token(value)):
        return text.removesuffix(value) + "…"
    return _clipped(text)


def _clipped(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"


def _setting(flag: str, text: str, faults: list[Fault]) -> _Said | None:
    key, colon, rest = text.partition(":")
    if not colon:
        key, equals, rest = text.partition("=")
        rest = f"str={rest}" if equals else "str"
    type_name, equals, value = rest.partition("=")
    type_name = TYPE_ALIASES.get(type_name, type_name)
    shown = f"{flag} {_shown(text, value, is_secret=type_name == 'secret')}"
    found = names.key_faults(key, shown)
    known = [each for each in TYPES if each != "flag" or flag == "--option"]
    if type_name not in known:
        found.append(
            Fault(
                shown,
                f"{type_name!r} is no type",
                ", ".join(known),
                names.closest(type_name, known),
            )
        )
    faults += found
    if found:
        return None
    try:
        made = _default(type_name, value) if equals else TYPES[type_name].empty
    except ValueError:
        problem = f"{_clipped(value)!r} is no {type_name}"
        faults.append(Fault(shown, problem, _FORMS.get(type_name, "")))
        return None
    return _Said(
        shown, value, key, type_name, made, flag != "--option", flag != "--config"
    )


def _default(type_name: str, text: str) -> Any:
    match type_name:
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "bool" | "flag":
            if text not in _TRUTH:
                raise ValueError(text)
            return _TRUTH[text]
        case "duration":
            return parse_go(text)
        case "list[str]":
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case "map[str]":
            pairs = [part.partition("=") for part in text.split(",") if part]
            if not all(equals for _, equals, _ in pairs):
                raise ValueError(text)
            return {key.strip(): value.strip() for key, _, value in pairs}
    return text


def _title(name: str) -> str:
    property = names.camel_case(name)
    return property[:1].upper() + property[1:]


def _table(header: str, table: Mapping[str, Any]) -> str:
    lines = [header]
    lines += [f"{_key(key)} = {toml_text(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def shown_setting(type_name: str, default: Any) -> str:
    """A type and a default as people read them: `duration = "1m30s"`."""
    if not default:
        return type_name
    if type_name == "duration":
        default = go_duration(default)
    shown = toml_text(list(default) if isinstance(default, tuple) else default)
    return f"{type_name} = {shown}"


def looks_like_token(text: str) -> bool:
    """Whether a text may be a secret that somebody pasted."""
    return _TOKEN.search(text) is not None


def toml_text(value: Any) -> str:
    """A value in TOML, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(toml_text(each) for each in value)}]"
        case dict():
            items = [f"{_key(key)} = {toml_text(each)}" for key, each in value.items()]
            return f"{{ {', '.join(items)} }}" if items else "{}"
    return _text(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
