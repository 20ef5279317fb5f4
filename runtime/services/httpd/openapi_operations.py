"""Summaries of the API's requests. A test compares this table with the routes."""

from __future__ import annotations

from typing import NamedTuple

TEXT = "text/plain"
JSON = "application/json"
BYTES = "application/octet-stream"
LOGFMT = "application/logfmt"
HTML = "text/html"


class Operation(NamedTuple):
    """One request.

    Attributes:
        method: `GET`, …
        path: path in OpenAPI's form, relative to `base`.
        summary: summary of the operation.
        sends: schema of the request body, or "".
        gives: schema of the response body, or "".
        query: names of the query parameters.
        status: status of a success.
        media: content type of the response.
        base: base path; "" for paths outside the API, `preview`.
    """

    method: str
    path: str
    summary: str
    sends: str = ""
    gives: str = ""
    query: tuple[str, ...] = ()
    status: int = 200
    media: str = JSON
    base: str = "v1"


_PAGE = ("pattern", "fields", "offset", "limit")
_VIEW = ("dot-view", "script-format")
_WRITE = ("db", "rp", "precision")
_TOPIC = "/alerts/topics/{topic}"
_HANDLER = f"{_TOPIC}/handlers/{{handler}}"
_FILTER = ("state", "topic", "handler")


def _op(method: str, path: str, summary: str, *rest: str, **more: object) -> Operation:
    return Operation(method, path, summary, *rest, **more)  # type: ignore[arg-type] # names are checked by the tuple itself


OPERATIONS = (
    _op(
        *("GET", "/", "Show the status page."),
        query=("topic", "handler"),
        media=HTML,
        base="",
    ),
    _op("HEAD", "/", "Check the status page.", base=""),
    _op(
        *("POST", "/", "Resend dead letters from the status page."),
        query=("resend", "topic", "handler"),
        status=303,
        base="",
    ),
    _op("GET", "/ping", "Check that the server responds.", status=204),
    _op("HEAD", "/ping", "Check that the server responds.", status=204),
    _op("GET", "/:routes", "List all routes with their methods.", "", "Routes"),
    _op("GET", "/openapi.json", "Show this document.", "", "AnyObject"),
    _op("GET", "/debug/vars", "Show statistics as JSON.", "", "AnyObject"),
    _op("GET", "/metrics", "Show metrics for Prometheus.", media=TEXT, base=""),
    _op("POST", "/loglevel", "Set the log level.", "LogLevel", status=204),
    _op(
        *(
            "GET",
            "/logs",
            "Follow the log. Other query parameters match tags of the lines.",
        ),
        query=("lvl", "service", "task", "node"),
        media=LOGFMT,
        base="preview",
    ),
    _op("POST", "/write", "Write points.", "Lines", query=_WRITE, status=204),
    _op("POST", "/write", "Write points.", "Lines", query=_WRITE, status=204, base=""),
    # tasks
    _op("GET", "/tasks", "List tasks.", "", "Tasks", query=_PAGE + _VIEW),
    _op("POST", "/tasks", "Create a task.", "TaskRequest", "Task"),
    _op(
        *("GET", "/tasks/{id}", "Show a task.", "", "Task"),
        query=(*_VIEW, "replay-id"),
    ),
    _op("PATCH", "/tasks/{id}", "Update a task.", "TaskRequest", "Task"),
    _op("DELETE", "/tasks/{id}", "Delete a task.", status=204),
    _op(
        *("GET", "/tasks/{id}/{endpoint}", "Show the latest data of an httpOut node."),
        *("", "AnyObject"),
    ),
    _op("GET", "/templates", "List templates.", "", "Templates", query=_PAGE + _VIEW),
    _op("POST", "/templates", "Create a template.", "TemplateRequest", "Template"),
    _op(
        *("GET", "/templates/{id}", "Show a template.", "", "Template"),
        query=_VIEW,
    ),
    _op(
        *("PATCH", "/templates/{id}", "Update a template and its tasks."),
        *("TemplateRequest", "Template"),
    ),
    _op("DELETE", "/templates/{id}", "Delete a template.", status=204),
    # alerts
    _op(
        *("GET", "/alerts/topics", "List topics.", "", "Topics"),
        query=("pattern", "min-level"),
    ),
    _op("GET", _TOPIC, "Show a topic.", "", "Topic"),
    _op("DELETE", _TOPIC, "Delete a topic and its events.", status=204),
    _op(
        *("GET", f"{_TOPIC}/events", "List a topic's events.", "", "Events"),
        query=("min-level",),
    ),
    _op("GET", f"{_TOPIC}/events/{{event}}", "Show an event.", "", "Event"),
    _op(
        *("GET", f"{_TOPIC}/handlers", "List a topic's handlers.", "", "Handlers"),
        query=("pattern",),
    ),
    _op(
        *("POST", f"{_TOPIC}/handlers", "Create a handler."),
        *("HandlerRequest", "Handler"),
    ),
    _op("GET", _HANDLER, "Show a handler.", "", "Handler"),
    _op("PUT", _HANDLER, "Replace a handler.", "HandlerRequest", "Handler"),
    _op("PATCH", _HANDLER, "Update a handler with a JSON patch.", "Patch", "Handler"),
    _op("DELETE", _HANDLER, "Delete a handler.", status=204),
    # deliveries
    _op(
        *("GET", "/deliveries", "List pending, dead and cancelled deliveries."),
        *("", "Deliveries"),
        query=(*_FILTER, "after", "offset", "limit"),
    ),
    _op("GET", "/deliveries/{number}", "Show a delivery.", "", "Delivery"),
    _op("DELETE", "/deliveries/{number}", "Discard a delivery.", status=204),
    _op(
        *("POST", "/deliveries/resend", "Resend dead and cancelled deliveries."),
        *("", "Count"),
        query=_FILTER,
    ),
    _op("POST", "/deliveries/{number}/resend", "Resend a delivery.", "", "Count"),
    _op("POST", "/deliveries/{number}/discard", "Discard a delivery.", status=204),
    # configuration
    _op("GET", "/config", "List the sections that can be changed.", "", "Config"),
    _op("GET", "/config/{section}", "Show a section.", "", "ConfigSection"),
    _op(
        *("GET", "/config/{section}/{element}", "Show an element of a section."),
        *("", "ConfigElement"),
    ),
    _op(
        *("POST", "/config/{section}", "Add or remove elements of a section."),
        "ConfigUpdate",
        status=204,
    ),
    _op(
        *("POST", "/config/{section}/{element}", "Set or unset options."),
        "ConfigUpdate",
        status=204,
    ),
    _op(
        *(
            "GET",
            "/service-tests",
            "List the services that can be tested.",
            "",
            "ServiceTests",
        ),
        query=("pattern",),
    ),
    _op(
        *("GET", "/service-tests/{name}", "Show the options of a service test."),
        *("", "ServiceTest"),
    ),
    _op(
        *("POST", "/service-tests/{name}", "Send a test message."),
        *("AnyObject", "ServiceTestResult"),
    ),
    _op(
        "POST",
        "/subscriptions",
        "Bring subscriptions of InfluxDB up to date.",
        status=204,
    ),
    # users
    _op("GET", "/users", "List users.", "", "Users", query=_PAGE),
    _op("POST", "/users", "Create a user.", "UserRequest", "User"),
    _op("GET", "/users/{name}", "Show a user.", "", "User"),
    _op("PATCH", "/users/{name}", "Update a user.", "UserRequest", "User"),
    _op("DELETE", "/users/{name}", "Delete a user.", status=204),
    # storage
    _op("GET", "/storage/stores", "List the database's stores.", "", "Stores"),
    _op(
        *("POST", "/storage/stores/{name}", "Rebuild a store's indexes."),
        "StoreAction",
        status=204,
    ),
    _op(
        "GET",
        "/storage/rejected",
        "List entries that cannot be loaded.",
        "",
        "Rejected",
    ),
    _op(
        *(
            "DELETE",
            "/storage/rejected/{store}/{id}",
            "Delete an entry that cannot be loaded.",
        ),
        status=204,
    ),
    _op("GET", "/storage/backup", "Download a copy of the database.", media=BYTES),
    # values of sideload nodes
    _op("POST", "/sideload/reload", "Reload the files of sideload nodes.", status=204),
    # recordings and replays
    _op("GET", "/recordings", "List recordings.", "", "Recordings", query=_PAGE),
    _op(
        *("POST", "/recordings/stream", "Record the points of a task."),
        *("RecordStream", "Recording"),
        status=201,
    ),
    _op(
        *("POST", "/recordings/batch", "Record the answers to a task's queries."),
        *("RecordBatch", "Recording"),
        status=201,
    ),
    _op(
        *("POST", "/recordings/query", "Record the answer to a query."),
        *("RecordQuery", "Recording"),
        status=201,
    ),
    _op("GET", "/recordings/{id}", "Show a recording.", "", "Recording"),
    _op("DELETE", "/recordings/{id}", "Delete a recording.", status=204),
    _op("GET", "/replays", "List replays.", "", "Replays", query=_PAGE),
    _op(
        *("POST", "/replays", "Replay a recording to a task."),
        *("ReplayRequest", "Replay"),
        status=201,
    ),
    _op(
        *("POST", "/replays/batch", "Replay the answers to a task's queries."),
        *("ReplayBatch", "Replay"),
        status=201,
    ),
    _op(
        *("POST", "/replays/query", "Replay the answer to a query."),
        *("ReplayQuery", "Replay"),
        status=201,
    ),
    _op("GET", "/replays/{id}", "Show a replay.", "", "Replay"),
    _op("DELETE", "/replays/{id}", "Delete a replay.", status=204),
)

PARAMETERS = {
    "after": ("integer", "List deliveries with a higher ID only."),
    "db": ("string", "Database of the points."),
    "dot-view": ("string", "Form of counters in DOT: attributes or labels."),
    "fields": ("array", "Fields to return."),
    "handler": ("string", "ID or glob pattern of the handler."),
    "limit": ("integer", "Maximum number of entries."),
    "lvl": ("string", "Log level; a + at the end includes more severe levels."),
    "min-level": ("string", "Minimum level: OK, INFO, WARNING or CRITICAL."),
    "node": ("string", "Name of the node."),
    "offset": ("integer", "Number of entries to skip."),
    "pattern": ("string", "Glob pattern of IDs."),
    "precision": ("string", "Unit of timestamps: n, u, ms, s, m or h."),
    "replay-id": ("string", "Show the statistics of the task in this replay."),
    "resend": ("string", "ID of a delivery, or `all` for those of the handler."),
    "rp": ("string", "Retention policy of the points."),
    "script-format": ("string", "Form of scripts: formatted or raw."),
    "service": ("string", "Name of the service."),
    "state": ("string", "State of the deliveries: pending, dead or cancelled."),
    "task": ("string", "ID of the task."),
    "topic": ("string", "ID or glob pattern of the topic."),
}
