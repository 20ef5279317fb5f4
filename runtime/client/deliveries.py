"""`list deliveries`, `resend` and `discard`."""

from __future__ import annotations

from typing import Any

from runtime.client.api import Api
from runtime.client.errors import CommandError, UsageError
from runtime.client.flags import Flags
from runtime.client.tables import rfc822, row, width

USAGE = {
    "resend": """Usage: kapacitor resend <delivery ID>...
       kapacitor resend [-state dead|cancelled] [-topic <ID or pattern>] [-handler <ID or pattern>]

    Send dead letters again, and deliveries that were cancelled when their handler was
    deleted. Without -state, send both. Each gets a new ID.
""",
    "discard": """Usage: kapacitor discard <delivery ID>...

    Delete deliveries for good, pending ones included.
""",
}
_HEAD = ("ID", "State", "Attempts", "Topic", "Handler", "Event", "Due", "Error")
_PAGE = 1000


def show(api: Api, arguments: list[str]) -> None:
    """Print the deliveries that match, oldest first."""
    flags = Flags(arguments, texts=("state",))
    if len(flags.rest) > 2:
        raise UsageError("Must pass at most a topic and a handler")
    topic, handler = [*flags.rest, "", ""][:2]
    query = {"state": flags.text("state"), "topic": topic, "handler": handler}
    rows = [_cells(each) for each in _all(api, query)]
    columns = list(zip(_HEAD, *rows, strict=True))
    widths = [width(0, column) for column in columns[:-1]]
    for each in (_HEAD, *rows):
        print(row([*widths, 0], each))


def resend(api: Api, arguments: list[str]) -> None:
    """Resend deliveries by ID, or all that match."""
    names = ("state", "topic", "handler")
    flags = Flags(arguments, texts=names)
    query = {name: flags.text(name) for name in names if flags.text(name)}
    if bool(query) == bool(flags.rest):
        raise UsageError("Must pass delivery IDs, or flags")
    if query:
        count = api.send("POST", "/deliveries/resend", query=query)["count"]
        print(f"resent {count}")
    for number in flags.rest:
        api.post(f"/deliveries/{_id(number)}/resend", None)


def discard(api: Api, arguments: list[str]) -> None:
    """Delete deliveries by ID."""
    if not arguments:
        raise UsageError("Must pass at least one delivery ID")
    for number in arguments:
        api.delete(f"/deliveries/{_id(number)}")


def _all(api: Api, query: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = str(found[-1]["id"]) if found else "0"
        page = {**query, "after": after, "limit": str(_PAGE)}
        items = api.get("/deliveries", page)["deliveries"]
        found += items
        if len(items) < _PAGE:
            return found


def _cells(delivery: dict[str, Any]) -> tuple[str, ...]:
    due = delivery["due"]
    return (
        str(delivery["id"]),
        delivery["state"],
        str(delivery["attempts"]),
        delivery["topic"],
        delivery["handler"],
        delivery["event"],
        rfc822(due, seconds=True) if due else "-",
        delivery["error"],
    )


def _id(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise CommandError(f"invalid delivery ID '{text}', must be a number")
    return text


COMMANDS = {"resend": resend, "discard": discard}
