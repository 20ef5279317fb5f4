"""Completions of a command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.client.api import Api
from runtime.client.errors import CommandError

SHELLS = ("bash", "zsh", "fish")
# Ids that need no quotes in a shell; other ids are not offered.
_PLAIN = re.compile(r"[\w.:/@%+,-]+")
_LIMIT = "100"


@dataclass(frozen=True, slots=True)
class Words:
    """One of several words.

    Attributes:
        choices: words to choose from.
    """

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of the server's objects.

    Attributes:
        kind: `tasks`, …; "" for the kind in the first argument.
    """

    kind: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """Paths, which the shell itself completes."""


@dataclass(frozen=True, slots=True)
class Free:
    """Anything."""


Kind = Words | Ids | Files | Free
# the kind of a flag that has no value
SWITCH = None


@dataclass(frozen=True, slots=True)
class Syntax:
    """Arguments of a command.

    Attributes:
        arguments: kinds of the arguments, by position; the last repeats if `repeats` is
            set.
        flags: kinds of their values by name, without the dash.
        repeats: True if the arguments may repeat.
    """

    arguments: tuple[Kind, ...] = ()
    flags: Mapping[str, Kind | None] = field(default_factory=dict)
    repeats: bool = False


class Candidates(NamedTuple):
    """Candidates for the last word.

    Attributes:
        words: whole words.
        are_files: True if paths are accepted instead.
    """

    words: Sequence[str] = ()
    are_files: bool = False


TASKS, TEMPLATES, TOPICS = Ids("tasks"), Ids("templates"), Ids("topics")
_SEVERAL_TASKS = Syntax((TASKS,), repeats=True)
_TYPES = Words(("stream", "batch"))
_KINDS = ("tasks", "templates", "recordings", "replays", "topics", "topic-handlers")
_PERIOD = {"start": Free(), "stop": Free(), "past": Free()}
_GLOBAL: Mapping[str, Kind | None] = {"url": Free(), "skipVerify": SWITCH}

SYNTAX: Mapping[str, Syntax] = {
    "define": Syntax(
        (TASKS,),
        {
            "tick": Files(),
            "type": _TYPES,
            "dbrp": Free(),
            "template": TEMPLATES,
            "vars": Files(),
            "file": Files(),
            "no-reload": SWITCH,
        },
    ),
    "define-template": Syntax(
        (TEMPLATES,), {"tick": Files(), "type": _TYPES, "file": Files()}
    ),
    "define-topic-handler": Syntax((Files(),)),
    "enable": _SEVERAL_TASKS,
    "disable": _SEVERAL_TASKS,
    "reload": _SEVERAL_TASKS,
    "delete": Syntax((Words(_KINDS), Ids()), repeats=True),
    "list": Syntax(
        (Words((*_KINDS, "deliveries", "rejected", "service-tests")), Ids()),
        {"state": Words(("pending", "dead", "cancelled"))},
        repeats=True,
    ),
    "show": Syntax((TASKS,), {"replay": Ids("replays")}),
    "show-template": Syntax((TEMPLATES,)),
    "show-topic": Syntax((TOPICS,)),
    "show-topic-handler": Syntax((TOPICS, Ids("handlers"))),
    "record": Syntax(
        (Words(("stream", "batch", "query")),),
        {
            "task": TASKS,
            "duration": Free(),
            **_PERIOD,
            "query": Free(),
            "type": _TYPES,
            "cluster": Free(),
            "recording-id": Free(),
            "no-wait": SWITCH,
        },
    ),
    "replay": Syntax(
        (),
        {
            "recording": Ids("recordings"),
            "task": TASKS,
            "replay-id": Free(),
            "real-clock": SWITCH,
            "rec-time": SWITCH,
            "no-wait": SWITCH,
        },
    ),
    "replay-live": Syntax(
        (Words(("batch", "query")),),
        {
            "task": TASKS,
            **_PERIOD,
            "query": Free(),
            "cluster": Free(),
            "replay-id": Free(),
            "real-clock": SWITCH,
            "rec-time": SWITCH,
            "no-wait": SWITCH,
        },
    ),
    "resend": Syntax(
        (),
        {
            "state": Words(("dead", "cancelled")),
            "topic": TOPICS,
            "handler": Ids("handlers"),
        },
    ),
    "discard": Syntax(),
    "backup": Syntax((Files(),)),
    "level": Syntax((Words(("debug", "info", "error")),)),
    "logs": Syntax(),
    "stats": Syntax((Words(("general", "ingress")),)),
    "vars": Syntax(),
    "service-tests": Syntax((Ids("service-tests"),), repeats=True),
    "version": Syntax(),
    "watch": Syntax((TASKS,)),
    "completion": Syntax((Words(SHELLS),)),
}


class _Line(NamedTuple):
    """Words of a command before the last.

    Attributes:
        arguments: arguments among them.
        flags: values of flags among them.
        awaiting: the flag that takes the last word as its value, or "".
    """

    arguments: list[str]
    flags: dict[str, str]
    awaiting: str


def candidates(words: Sequence[str], connect: Callable[[str, bool], Api]) -> Candidates:
    """Return the candidates for the last of `words`.

    Args:
        words: words of the command line, without the program's name; the last may be
            empty.
        connect: returns the API of the server at a URL ("" for the default one); the
            second argument is True to verify its certificate.
    """
    *before, last = words or ("",)
    line = _read(before, _GLOBAL, until_argument=True)
    if not line.arguments:
        commands = Words((*SYNTAX, "help"))
        return _found(Syntax((commands,), _GLOBAL), line, last, _Source(None, line))
    command, *rest = line.arguments
    if command == "help":
        syntax = Syntax((Words(tuple(SYNTAX)),))
    else:
        syntax = SYNTAX.get(command, Syntax())
    given = _read(rest, syntax.flags)

    def api() -> Api:
        return connect(line.flags.get("url", ""), "skipVerify" not in line.flags)

    return _found(syntax, given, last, _Source(api, given))


def _read(
    words: Sequence[str],
    known: Mapping[str, Kind | None],
    *,
    until_argument: bool = False,
) -> _Line:
    """Separate flags and their values from arguments.

    Args:
        words: all words before the last.
        known: the flags.
        until_argument: True if flags end at the first argument.
    """
    arguments: list[str] = []
    flags: dict[str, str] = {}
    awaiting = ""
    for word in words:
        if awaiting:
            flags[awaiting], awaiting = word, ""
        elif word.startswith("-") and not (until_argument and arguments):
            name, equals, value = word.lstrip("-").partition("=")
            if not equals and known.get(name) is not SWITCH:
                awaiting = name
            else:
                flags[name] = value
        else:
            arguments.append(word)
    return _Line(arguments, flags, awaiting)


def _found(syntax: Syntax, line: _Line, last: str, source: _Source) -> Candidates:
    if line.awaiting:
        return source.of(syntax.flags[line.awaiting] or Free(), last)
    if last.startswith("-"):
        name, equals, value = last.lstrip("-").partition("=")
        lead = f"{last.partition('=')[0]}="
        if equals:
            found = source.of(syntax.flags.get(name) or Free(), value)
            return Candidates([lead + each for each in found.words])
        names = [f"-{each}" for each in sorted(syntax.flags)]
        return Candidates([each for each in names if each.startswith(last)])
    place = len(line.arguments)
    if syntax.repeats:
        place = min(place, len(syntax.arguments) - 1)
    if place >= len(syntax.arguments):
        return Candidates()
    return source.of(syntax.arguments[place], last)


class _Source:
    """Finds candidates of a kind."""

    def __init__(self, api: Callable[[], Api] | None, line: _Line) -> None:
        self._api = api
        self._line = line

    def of(self, kind: Kind, start: str) -> Candidates:
        """The candidates that begin with `start`."""
        match kind:
            case Words(choices):
                return Candidates([each for each in choices if each.startswith(start)])
            case Ids(name):
                return Candidates(self._ids(name, start))
            case Files():
                return Candidates(are_files=True)
            case _:
                return Candidates()

    def _ids(self, kind: str, start: str) -> list[str]:
        if self._api is None or (start and not _PLAIN.fullmatch(start)):
            return []
        path, key = self._list(kind or self._line.arguments[0])
        if not path:
            return []
        query = {"pattern": f"{start}*", "limit": _LIMIT}
        if key in ("tasks", "templates", "recordings", "replays"):
            query["fields"] = "link"
        try:
            items = self._api().get(path, query)[key] or []
            ids = [str(each["name" if key == "services" else "id"]) for each in items]
        # no errors are shown while a line is being typed
        except (CommandError, LookupError, TypeError):
            return []
        return [
            each for each in ids if each.startswith(start) and _PLAIN.fullmatch(each)
        ]

    def _list(self, kind: str) -> tuple[str, str]:
        """The path of a list and the key of its items; "" for none."""
        arguments = self._line.arguments
        match kind:
            case "tasks" | "templates" | "recordings" | "replays":
                return f"/{kind}", kind
            case "topics":
                return "/alerts/topics", "topics"
            case "service-tests":
                return "/service-tests", "services"
            case "handlers":
                topic = self._line.flags.get("topic") or next(iter(arguments), "")
            case "topic-handlers" | "deliveries" if len(arguments) > 1:
                topic = arguments[1]
            case "topic-handlers" | "deliveries":
                return self._list("topics")
            case _:
                return "", ""
        return (f"/alerts/topics/{topic}/handlers", "handlers") if topic else ("", "")
