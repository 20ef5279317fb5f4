"""Events for tests, and requests as text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from runtime.alert.types import Event, EventData, EventState, Level, Row
from runtime.outbound.headers import canonical
from runtime.services.server import Server
from runtime.units import MINUTE, SECOND

TIME = 1_500_000_000 * SECOND
# its clock is half a minute after the event
SERVER = Server(
    "http://kapacitor.example.com:9092/kapacitor/v1",
    "kapacitor.example.com",
    lambda: TIME + 30 * SECOND,
)
"""The server of the services in tests."""
KEY = "0123456789abcdef0123456789abcdef"
"""The key of deliveries in tests."""
COURSE = (Level.WARNING, Level.CRITICAL, Level.OK, Level.CRITICAL)
"""The levels of an alert that gets worse, ends and starts again."""
_TAGS = {"host": "serverA"}
_ROW = Row("cpu", _TAGS, ("time", "usage_idle"), ((TIME, 3.5),))
_DATA = EventData(
    name="cpu",
    task_name="cpu_alert",
    group="host=serverA",
    tags=_TAGS,
    fields={"usage_idle": 3.5},
    result=(_ROW,),
)
_NAME_LENGTH = 100
# a change of one of these attributes also changes the result
_OF_ROWS = frozenset(("fields", "name", "tags", "time"))
# headers that the client library adds to each request
_TRANSPORT = frozenset(
    (
        *("Accept-Encoding", "Connection", "Content-Length", "Host"),
        *("Idempotency-Key", "User-Agent"),
    )
)


def sample_event(level: Level = Level.CRITICAL) -> Event:
    """An event as an alert on a host's CPU creates it."""
    state = EventState(
        id="cpu:serverA",
        message=f"CPU of serverA is {level}",
        details=f"<b>serverA</b> is {level}",
        time=TIME,
        duration=MINUTE,
        level=level,
    )
    return Event("main:cpu_alert:alert2", state, _DATA)


def changed_event(event: Event, changes: Mapping[str, object]) -> Event:
    """`event` with other values, by the names that specs of handlers use.

    Its result follows: one row with the new name, tags, time and fields.
    """
    state, data = {}, {}
    topic = str(changes.get("topic", event.topic))
    for key, value in changes.items():
        if key == "topic":
            continue
        if key in EventState.__dataclass_fields__:
            state[key] = Level[str(value)] if key == "level" else value
        else:
            data["task_name" if key == "task" else key] = value
    changed = replace(
        event,
        topic=topic,
        state=replace(event.state, **state),  # type: ignore[arg-type] # as specs say
        data=replace(event.data, **data),  # type: ignore[arg-type] # the same
    )
    if _OF_ROWS.isdisjoint(changes):
        return changed
    return replace(changed, data=replace(changed.data, result=(_row(changed),)))


def _row(event: Event) -> Row:
    """The row of a point, as an alert node adds it to the result."""
    data = event.data
    columns = ("time", *data.fields)
    values = (event.state.time, *data.fields.values())
    return Row(data.name, data.tags, columns, (values,))


def shown_request(
    method: str, target: str, headers: Mapping[str, str], body: bytes
) -> str:
    """A request as lines of text, without headers that the HTTP client adds itself.

    Args:
        method: `POST`, …
        target: path and query as sent.
        headers: headers by name.
        body: the bytes of the body.
    """
    shown = {canonical(name): value for name, value in headers.items()}
    lines = [f"{method} {target}"]
    lines += [
        f"{name}: {shown[name]}"
        for name in sorted(shown)
        if name not in _TRANSPORT and (name, shown[name]) != ("Accept", "*/*")
    ]
    text = "\n".join(lines)
    return f"{text}\n\n{body.decode().rstrip()}\n" if body else f"{text}\n"


def shown_levels(requests: Mapping[str, str]) -> str:
    """The requests of several levels, or of other names, as one text."""
    return "\n".join(
        f"# {level}\n{request.rstrip()}\n" for level, request in requests.items()
    )


def shown_service_test(
    kind: str, options: Mapping[str, object], event_id: str, requests: str
) -> str:
    """The service test of a kind as text: its options, and the requests for its event.

    Args:
        kind: kind of the service.
        options: the options with their defaults, as the API shows them.
        event_id: ID of the event.
        requests: the requests as text.
    """
    lines = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in options.items()
    ]
    return shown_levels({f"options of {kind}": "\n".join(lines), event_id: requests})


class Variant(NamedTuple):
    """The parts of one test delivery.

    Attributes:
        config: the configuration of the service.
        options: the handler's options; None for those of a handler that sets none.
        changes: other values of the event, as `changed_event` takes them.
    """

    config: Any
    options: Any = None
    changes: Mapping[str, object] | None = None


def variant_names(usual: Any, variants: Sequence[Variant]) -> list[str]:
    """Distinct names of variants by their difference from the usual, `opt.room = 'a'`.

    Args:
        usual: the configuration that the variants change.
        variants: the variants.
    """
    seen: Counter[str] = Counter()
    names = []
    for config, options, changes in variants:
        compared = [("config", config, usual)]
        if options is not None:
            compared.append(("opt", options, type(options)()))
        parts = [
            f"{table}.{field.name} = {getattr(own, field.name)!r}"
            for table, own, other in compared
            for field in fields(own)
            if getattr(own, field.name) != getattr(other, field.name)
        ]
        parts += [f"event.{key} = {value!r}" for key, value in (changes or {}).items()]
        name = ", ".join(parts)
        if len(name) > _NAME_LENGTH:
            name = f"{name[:_NAME_LENGTH].rstrip()} …"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names
