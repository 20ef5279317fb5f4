"""The spec that the flags of `new-handler` describe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from runtime.golang.durations import parse_go
from runtime.units import go_duration
from scaffold import names
from scaffold.errors import Fault
from scaffold.flags import Flags, declared
from scaffold.prose import folded
from scaffold.spec.model.settings import FIELD_TYPES, TYPE_ALIASES, TYPES
from scaffold.spec.reader import Path
from scaffold.spec.tokens import tokens_in
from scaffold.spec.toml import toml_table, toml_text

# `{room}` or `{n:int}` in a URL
_PART = re.compile(r"\{([^{}/]*)\}")
_TRUTH = {"true": True, "false": False}
_SHOWN_LENGTH = 60
_FORMS = {
    "int": "is not an integer",
    "float": "is not a number",
    "bool": "is not a boolean; use true or false",
    "flag": "is not a boolean; use true or false",
    "duration": "is not a duration; write it as 10s, 1m30s or 500ms",
    "map[str]": "is not a map; write it as a=b,c=d",
    "map[any]": "is not a map; write it as a=b,c=5",
    "map[template]": "is not a map; write it as a=b,c=d",
}


@dataclass(frozen=True)
class Draft:
    """The spec that flags describe.

    Attributes:
        flags: the flags.
    """

    flags: Flags

    @cached_property
    def _settings(self) -> tuple[list[_Setting], list[Fault]]:
        found: list[_Setting] = []
        faults: list[Fault] = []
        for flag, texts in (
            ("--field", self.flags.fields),
            ("--config", self.flags.config),
            ("--option", self.flags.options),
        ):
            for text in texts:
                setting = _parsed(flag, text, faults)
                if setting is not None:
                    found.append(setting)
        # names in the URL are fields, unless they are misspelled names of fields
        known = [each.key for each in found]
        for text in dict.fromkeys(self._url_parts):
            if text not in known and not names.closest(text, known):
                setting = _parsed("--url", text, faults)
                found += [setting] if setting else []
        kept: dict[str, _Setting] = {}
        for each in found:
            if each.is_option and each.key == "message":
                problem = "'message' is the message of the alert; use another name"
                faults.append(Fault(each.flag, problem))
            other = kept.setdefault(names.identifier(each.key), each)
            if other is not each:
                problem = f"{each.key!r} is already given by {other.flag}"
                faults.append(Fault(each.flag, problem))
            if each.key == self.flags.message_key and each.is_option:
                problem = f"{each.key!r} is the key of the message, by --message-key"
                faults.append(Fault(each.flag, problem))
        return list(kept.values()), faults

    @property
    def keys(self) -> list[str]:
        """The keys of all settings and options."""
        return [each.key for each in self._settings[0]]

    def faults(self) -> list[Fault]:
        """Faults of the flags themselves."""
        return [*self._settings[1], *self._url_faults()]

    def _url_faults(self) -> Iterator[Fault]:
        """Faults of `--url`: not an address, or a field that does not exist."""
        if not self.flags.url:
            return
        where = f"--url {_displayed(self.flags.url, self.flags.url, is_secret=False)}"
        try:
            parts = urlsplit(self.flags.url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            yield Fault(where, "is not a URL; begin with https://")
            return
        if "{" in parts.netloc:
            problem = "has a field in its host; write the spec instead"
            yield Fault(where, problem)
        known = [each.key for each in self._settings[0]]
        for text in dict.fromkeys(self._url_parts):
            if text not in known and (guess := names.closest(text, known)):
                problem = f"has {{{text}}}, which is not a field"
                yield Fault(where, problem, ", ".join(known), guess)

    @property
    def _url_parts(self) -> list[str]:
        """The names in braces, in path and query of `--url`."""
        _, _, rest = self.flags.url.partition("://")
        _, _, rest = rest.partition("/")
        return _PART.findall(rest)

    def origins(self) -> dict[Path, str]:
        """For each place in the spec, the flag that it comes from."""
        origins: dict[Path, str] = {
            ("handler", "name"): "NAME",
            ("handler", "property"): "NAME",
        }
        for _, flag, _ in declared():
            if flag.key or flag.switch:
                origins["handler", flag.key or "flags"] = flag.option
        for each in self._settings[0]:
            for table in ("config", "option", "test"):
                origins[(table, each.key)] = each.flag
        return origins

    def stated(self) -> dict[str, Any]:
        """The flags as statements about a spec, in the form that `differences` compares."""
        stated: dict[str, Any] = {"handler.flags": sorted(self.flags.switches())}
        if self.flags.describes_request:
            stated["request"] = self.document()["request"]
        for key, value in self.flags.handler_keys().items():
            stated[f"handler.{key}"] = folded(value)
        for key, table in self._config().items():
            # settings that flags of the request bring
            if key not in self.keys and (key != "url" or "default" in table):
                type_name = table.get("type", "str")
                default = table.get("default")
                stated[f"config.{key}"] = shown_setting(type_name, default)
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
        options = [each for each in self._settings[0] if each.is_option]
        request = self._request(options)
        settings = {each.key: each.option() for each in options}
        return {
            "handler": {
                "name": self.flags.name,
                "title": self._title,
                **self.flags.handler_keys(),
                "flags": self.flags.switches(),
            },
            "config": self._config(),
            **({"option": settings} if settings else {}),
            "request": [request],
            "response": {
                "message": "unexpected response code ${status} from "
                f"{_plain(self._title)} service"
            },
            "test": {
                **{
                    each.key: each.test()
                    for each in options
                    if each.type
                    not in ("secret", "map[str]", "map[any]", "map[template]")
                },
                "message": f"test {self.flags.name} message",
            },
        }

    @property
    def _title(self) -> str:
        if self.flags.title:
            return self.flags.title
        if names.kind_faults(self.flags.name, ""):
            return "Handler"  # the name is a fault of its own
        return names.Names(
            self.flags.name, names.default_property(self.flags.name)
        ).class_name

    def _config(self) -> dict[str, Any]:
        given = [each for each in self._settings[0] if each.is_config]
        config: dict[str, Any] = {}
        if not any(each.key == "url" for each in given):
            config["url"] = {"default": self._address[0]} if self._address[0] else {}
        for key, table in self._credentials().items():
            if not any(each.key == key for each in given):
                config[key] = {**table, "required": "enabled"}
        config |= {each.key: each.config() for each in given}
        config["url"] |= {
            "required": "enabled",
            "error": f"must specify the {_plain(self._title)} server URL",
        }
        return config

    def _credentials(self) -> dict[str, dict[str, Any]]:
        """The settings that `--auth` needs."""
        secret = {"type": "secret"}
        match self.flags.auth.lower():
            case "":
                return {}
            case "basic":
                return {"username": {}, "password": secret}
        return {"token": secret}

    def _request(self, options: Sequence[_Setting]) -> dict[str, Any]:
        """All options and the message as JSON, sent to the URL of the settings."""
        overrides_url = any(each.key == "url" and each.is_config for each in options)
        _, where = self._address
        elsewhere = {*self._credentials(), *(["url"] if overrides_url else [])}
        elsewhere |= {text.partition(":")[0] for text in self._url_parts}
        body = {
            each.key: self._code(each.key)
            for each in options
            if each.key not in elsewhere
        }
        body[self.flags.message_key or "message"] = "${event.message}"
        request: dict[str, Any] = {
            "url": "${opt.url}" if overrides_url else "${config.url}",
            **where,
        }
        if self.flags.auth:
            request["auth"] = self._auth()
        return request | {"form" if self.flags.is_form else "json": body}

    def _auth(self) -> dict[str, Any]:
        codes = [self._code(key)[2:-1] for key in self._credentials()]
        if len(codes) > 1:
            return {"basic": codes}
        scheme = self.flags.auth
        is_bearer = scheme.lower() == "bearer"
        return {**({} if is_bearer else {"scheme": scheme}), "token": codes[0]}

    def _code(self, key: str) -> str:
        """The value of a field: the option's if it has one, else the setting's."""
        is_option = any(each.key == key for each in self._settings[0] if each.is_option)
        return f"${{{'opt' if is_option else 'config'}.{names.identifier(key)}}}"

    def _filled(self, text: str) -> str:
        """A part of the URL as text of the spec."""
        pieces = _PART.split(text)
        return "".join(
            self._code(piece.partition(":")[0]) if index % 2 else _plain(unquote(piece))
            for index, piece in enumerate(pieces)
        )

    @cached_property
    def _address(self) -> tuple[str, dict[str, Any]]:
        """The default of the setting `url`, and path and query of the request."""
        if any(each.where.startswith("--url ") for each in self.faults()):
            return "", {}
        if not self._url_parts:
            return self.flags.url, {}
        parts = urlsplit(self.flags.url)
        path = [self._filled(each) for each in parts.path.split("/")[1:]]
        where: dict[str, Any] = {}
        if path != [""]:
            where["path"] = "/".join(path) if "" in path else path
        query: dict[str, Any] = {}
        for key, value in parse_qsl(parts.query, keep_blank_values=True):
            filled = self._filled(value)
            query[key] = [*_as_list(query[key]), filled] if key in query else filled
        where |= {"query": query} if query else {}
        return f"{parts.scheme}://{parts.netloc}", where

    def to_toml(self) -> str:
        """The spec as a person would write it."""
        document = self.document()
        [request] = document["request"]
        kind = "form" if self.flags.is_form else "json"
        head = {key: each for key, each in request.items() if key != kind}
        parts = [toml_table("[handler]", document["handler"])]
        parts.append(toml_table("[config]", document["config"]))
        if "option" in document:
            parts.append(toml_table("[option]", document["option"]))
        parts.append(
            toml_table("[[request]]", head)
            + toml_table(f"[request.{kind}]", request[kind])
        )
        parts.append(toml_table("[response]", document["response"]))
        parts.append(toml_table("[test]", document["test"]))
        return "\n".join(parts)


@dataclass(frozen=True)
class _Setting:
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
            # a URL is looked up for each event, so that it can be corrected in between
            return {
                "default": default,
                **({} if self._is_late else {"bind": "create"}),
            }
        table = {} if self.type == "str" else {"type": self.type}
        return table if not self.value else {**table, "initial": self._default()}

    @property
    def _is_late(self) -> bool:
        """True if the setting is looked up for each event."""
        return self.key == "url" or "template" in self.type

    def test(self) -> Any:
        if self.is_config:
            return f"${{config.{names.identifier(self.key)}}}"
        value = self._default()
        return _plain(value) if isinstance(value, str) else value

    def _default(self) -> Any:
        if self.type == "duration":
            return self.text
        return list(self.value) if isinstance(self.value, tuple) else self.value


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(text: str) -> str:
    """A string escaped so that it is literal in a value with `${…}`."""
    return text.replace("${", "$${")


def _displayed(text: str, value: str, *, is_secret: bool) -> str:
    """A flag with its value, for messages: neither secrets nor long values."""
    has_user = "://" in value and "@" in value
    if value and (is_secret or has_user or tokens_in(value)):
        return text.removesuffix(value) + "…"
    return _clipped(text)


def _clipped(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"


def _parsed(flag: str, text: str, faults: list[Fault]) -> _Setting | None:
    key, colon, rest = text.partition(":")
    if not colon:
        key, equals, rest = text.partition("=")
        rest = f"str={rest}" if equals else "str"
    type_name, equals, value = rest.partition("=")
    type_name = TYPE_ALIASES.get(type_name, type_name)
    shown = f"{flag} {_displayed(text, value, is_secret=type_name == 'secret')}"
    found = names.key_faults(key, shown)
    known = [*TYPES] if flag == "--option" else [*FIELD_TYPES]
    if type_name not in known:
        found.append(
            Fault(
                shown,
                f"unknown type {type_name!r}",
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
        faults.append(Fault(shown, f"{_clipped(value)!r} {_FORMS[type_name]}"))
        return None
    return _Setting(
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
        case "list[str]" | "list[template]":
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case "map[str]" | "map[any]" | "map[template]":
            pairs = [part.partition("=") for part in text.split(",") if part]
            if not all(equals for _, equals, _ in pairs):
                raise ValueError(text)
            values = {key.strip(): value.strip() for key, _, value in pairs}
            if type_name == "map[any]":
                return {key: _data(value) for key, value in values.items()}
            return values
        case "list[any]":
            return tuple(_data(part.strip()) for part in text.split(",") if part)
        case "any":
            return _data(text)
    return text


def _data(text: str) -> Any:
    """The number or boolean that a text is, else the text."""
    if text in _TRUTH:
        return _TRUTH[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def shown_setting(type_name: str, default: Any) -> str:
    """A type and a default in TOML: `duration = "1m30s"`."""
    if not default:
        return type_name
    if type_name == "duration":
        default = go_duration(default)
    shown = toml_text(list(default) if isinstance(default, tuple) else default)
    return f"{type_name} = {shown}"
