"""The shapes of requests and responses, as JSON Schema."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
DURATION: Schema = {"type": "string", "example": "1m0s"}
LEVEL: Schema = {"type": "string", "enum": ["OK", "INFO", "WARNING", "CRITICAL"]}
ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}


def ref(name: str) -> Schema:
    """A reference to one of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}


def shape(**properties: Schema) -> Schema:
    """An object; `_` in names becomes `-`."""
    named = {name.replace("_", "-"): each for name, each in properties.items()}
    return {"type": "object", "properties": named}


def one_of(*words: str) -> Schema:
    """One of several strings."""
    return {"type": "string", "enum": list(words)}


_LINK = ref("Link")
_STATUS = one_of("enabled", "disabled")
_TYPE = one_of("stream", "batch")
_RUN = one_of("running", "finished", "failed")
_VARS: Schema = {"type": "object", "additionalProperties": ref("Var")}
_PATCH = list_of(
    shape(op=TEXT, path=TEXT, value={}, **{"from": TEXT}),
)

SCHEMAS: dict[str, Schema] = {
    "Error": shape(error=TEXT, message=TEXT),
    "Link": shape(rel=TEXT, href=TEXT),
    "DBRP": shape(db=TEXT, rp=TEXT),
    "Var": shape(type=TEXT, value={}, description=TEXT),
    "TaskRequest": shape(
        id=TEXT,
        template_id=TEXT,
        type=_TYPE,
        dbrps=list_of(ref("DBRP")),
        script=TEXT,
        status=_STATUS,
        vars=_VARS,
    ),
    "Task": shape(
        link=_LINK,
        id=TEXT,
        template_id=TEXT,
        type=_TYPE,
        dbrps=list_of(ref("DBRP")),
        script=TEXT,
        vars=_VARS,
        dot=TEXT,
        status=_STATUS,
        executing=FLAG,
        error=TEXT,
        stats={**ANY_OBJECT, "nullable": True},
        created=TIME,
        modified=TIME,
        last_enabled=TIME,
    ),
    "Tasks": shape(tasks=list_of(ref("Task"))),
    "TemplateRequest": shape(id=TEXT, type=_TYPE, script=TEXT),
    "Template": shape(
        link=_LINK,
        id=TEXT,
        type=_TYPE,
        script=TEXT,
        vars=_VARS,
        dot=TEXT,
        error=TEXT,
        created=TIME,
        modified=TIME,
    ),
    "Templates": shape(templates=list_of(ref("Template"))),
    "Topic": shape(
        link=_LINK,
        id=TEXT,
        level=LEVEL,
        collected=NUMBER,
        events_link=_LINK,
        handlers_link=_LINK,
    ),
    "Topics": shape(link=_LINK, topics=list_of(ref("Topic"))),
    "Event": shape(
        link=_LINK,
        id=TEXT,
        state=shape(
            message=TEXT, details=TEXT, time=TIME, duration=DURATION, level=LEVEL
        ),
    ),
    "Events": shape(link=_LINK, topic=TEXT, events=list_of(ref("Event"))),
    "HandlerRequest": shape(id=TEXT, kind=TEXT, match=TEXT, options=ANY_OBJECT),
    "Handler": shape(link=_LINK, id=TEXT, kind=TEXT, options=ANY_OBJECT, match=TEXT),
    "Handlers": shape(link=_LINK, topic=TEXT, handlers=list_of(ref("Handler"))),
    "Patch": _PATCH,
    "ConfigElement": shape(
        link=_LINK, options=ANY_OBJECT, redacted={**list_of(TEXT), "nullable": True}
    ),
    "ConfigSection": shape(link=_LINK, elements=list_of(ref("ConfigElement"))),
    "Config": shape(
        link=_LINK,
        sections={
            "type": "object",
            "additionalProperties": ref("ConfigSection"),
        },
    ),
    "ConfigUpdate": shape(
        set=ANY_OBJECT,
        delete=list_of(TEXT),
        add=ANY_OBJECT,
        remove=list_of(TEXT),
    ),
    "ServiceTest": shape(link=_LINK, name=TEXT, options=ANY_OBJECT),
    "ServiceTests": shape(
        link=_LINK, services={**list_of(ref("ServiceTest")), "nullable": True}
    ),
    "ServiceTestResult": shape(success=FLAG, message=TEXT),
    "UserRequest": shape(
        name=TEXT,
        password={"type": "string", "format": "password"},
        type=one_of("normal", "admin"),
        permissions=list_of(one_of("none", "api", "config_api", "write_points", "all")),
    ),
    "User": shape(link=_LINK, name=TEXT, type=TEXT, permissions=list_of(TEXT)),
    "Users": shape(users=list_of(ref("User"))),
    "StoreAction": shape(action=one_of("rebuild")),
    "Rejected": shape(
        link=_LINK,
        rejected=list_of(shape(link=_LINK, store=TEXT, id=TEXT, error=TEXT)),
    ),
    "Stores": shape(link=_LINK, storage=list_of(shape(link=_LINK, name=TEXT))),
    "LogLevel": shape(level=one_of("DEBUG", "INFO", "ERROR")),
    "Delivery": shape(
        link=_LINK,
        id=NUMBER,
        topic=TEXT,
        handler=TEXT,
        state=one_of("pending", "dead", "cancelled"),
        event=TEXT,
        level=LEVEL,
        message=TEXT,
        time=TIME,
        attempts=NUMBER,
        error=TEXT,
        maybe_duplicate=FLAG,
        created=TIME,
        due={**TIME, "nullable": True},
        key=TEXT,
    ),
    "Deliveries": shape(link=_LINK, deliveries=list_of(ref("Delivery"))),
    "Count": shape(count=NUMBER),
    "RecordStream": shape(id=TEXT, task=TEXT, stop=TIME),
    "RecordBatch": shape(id=TEXT, task=TEXT, start=TIME, stop=TIME),
    "RecordQuery": shape(id=TEXT, query=TEXT, type=_TYPE, cluster=TEXT),
    "Recording": shape(
        link=_LINK,
        id=TEXT,
        type=_TYPE,
        size=NUMBER,
        date=TIME,
        error=TEXT,
        status=_RUN,
        progress={"type": "number"},
    ),
    "Recordings": shape(recordings=list_of(ref("Recording"))),
    "ReplayRequest": shape(
        id=TEXT,
        recording=TEXT,
        task=TEXT,
        clock=one_of("fast", "real"),
        **{"recording-time": FLAG},
    ),
    "ReplayBatch": shape(
        id=TEXT,
        task=TEXT,
        start=TIME,
        stop=TIME,
        clock=one_of("fast", "real"),
        **{"recording-time": FLAG},
    ),
    "ReplayQuery": shape(
        id=TEXT,
        task=TEXT,
        query=TEXT,
        cluster=TEXT,
        clock=one_of("fast", "real"),
        **{"recording-time": FLAG},
    ),
    "Replay": shape(
        link=_LINK,
        id=TEXT,
        recording=TEXT,
        task=TEXT,
        clock=TEXT,
        recording_time=FLAG,
        date=TIME,
        error=TEXT,
        status=_RUN,
        progress={"type": "number"},
    ),
    "Replays": shape(replays=list_of(ref("Replay"))),
}
