"""`show`, `show-template`, `show-topic` and `show-topic-handler`."""

from __future__ import annotations

from typing import Any

from runtime.client.api import Api
from runtime.client.errors import UsageError
from runtime.client.flags import Flags
from runtime.client.tables import dbrps, options, rfc822, row, variable, width, yes

USAGE = {
    "show": """Usage: kapacitor show [-replay <replay ID>] <task ID>

    Show details about a task.
""",
    "show-template": """Usage: kapacitor show-template <template ID>

    Show details about a template.
""",
    "show-topic": """Usage: kapacitor show-topic <topic ID>

    Show details about an alert topic.
""",
    "show-topic-handler": """Usage: kapacitor show-topic-handler <topic ID> <handler ID>

    Show details about a handler of an alert topic.
""",
}
_VIEW = {"dot-view": "attributes", "script-format": "formatted"}


def show(api: Api, arguments: list[str]) -> None:
    """Print a task."""
    flags = Flags(arguments, texts=("replay",))
    if len(flags.rest) != 1:
        raise UsageError("Must specify one task ID")
    query = {**_VIEW, "replay-id": flags.text("replay")}
    task = api.get(f"/tasks/{flags.rest[0]}", query)
    print(f"ID: {task['id']}")
    print(f"Error: {task['error']}")
    print(f"Template: {task.get('template-id', '')}")
    print(f"Type: {task['type']}")
    print(f"Status: {task['status']}")
    print(f"Executing: {yes(task['executing'])}")
    print(f"Created: {rfc822(task['created'])}")
    print(f"Modified: {rfc822(task['modified'])}")
    print(f"LastEnabled: {rfc822(task['last-enabled'])}")
    print(f"Databases Retention Policies: {dbrps(task['dbrps'] or [])}")
    print(f"TICKscript:\n{task['script']}")
    _variables(task["vars"], ("Name", "Type", "Value"))
    print(f"DOT:\n{task['dot']}")


def show_template(api: Api, arguments: list[str]) -> None:
    """Print a template."""
    if len(arguments) != 1:
        raise UsageError("Must specify one template ID")
    template = api.get(f"/templates/{arguments[0]}", {"script-format": "formatted"})
    print(f"ID: {template['id']}")
    print(f"Error: {template['error']}")
    print(f"Type: {template['type']}")
    print(f"Created: {rfc822(template['created'])}")
    print(f"Modified: {rfc822(template['modified'])}")
    print(f"TICKscript:\n{template['script']}")
    _variables(template["vars"], ("Name", "Type", "Default Value", "Description"))
    print(f"DOT:\n{template['dot']}")


def _variables(found: dict[str, Any] | None, head: tuple[str, ...]) -> None:
    if not found:
        return
    widths = (30, 10, 40, 40)[: len(head)]
    print("Vars:")
    print(row(widths, head))
    is_template = "Default Value" in head
    for name, var in sorted(found.items()):
        is_required = is_template and var["value"] is None and var["type"] != "star"
        value = "<required>" if is_required else variable(var)
        cells = (name, var["type"], value, var.get("description", ""))
        print(row(widths, cells[: len(head)]))


def show_topic(api: Api, arguments: list[str]) -> None:
    """Print a topic with its handlers and events."""
    if len(arguments) != 1:
        raise UsageError("Must specify one topic ID")
    path = f"/alerts/topics/{arguments[0]}"
    topic = api.get(path)
    handlers = [
        each["id"] for each in api.all_pages(f"{path}/handlers", "handlers", {})
    ]
    events = api.all_pages(f"{path}/events", "events", {})
    print(f"ID: {topic['id']}")
    print(f"Level: {topic['level']}")
    print(f"Collected: {topic['collected']}")
    print(f"Handlers: [{', '.join(handlers)}]")
    print("Events:")
    widths = (
        width(5, (event["id"] for event in events)),
        9,
        width(7, (event["state"]["message"] for event in events)),
        23,
    )
    print(row(widths, ("Event", "Level", "Message", "Date")))
    for event in sorted(events, key=lambda each: str(each["state"]["time"])):
        state = event["state"]
        date = rfc822(state["time"], local=True)
        print(row(widths, (event["id"], state["level"], state["message"], date)))


def show_topic_handler(api: Api, arguments: list[str]) -> None:
    """Print a handler of a topic."""
    if len(arguments) != 2:
        raise UsageError("Must specify both topic and handler IDs")
    topic, name = arguments
    handler = api.get(f"/alerts/topics/{topic}/handlers/{name}")
    print(f"ID: {handler['id']}")
    print(f"Topic: {topic}")
    print(f"Kind: {handler['kind']}")
    print(f"Match: {handler['match']}")
    print(f"Options: {options(handler['options'])}")


COMMANDS = {
    "show": show,
    "show-template": show_template,
    "show-topic": show_topic,
    "show-topic-handler": show_topic_handler,
}
