"""Commands about the server itself: tests of services, log level, statistics, backup."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runtime.client.api import Api
from runtime.client.errors import CommandError, MissingError, UsageError
from runtime.client.tables import options, row, width, yes

USAGE = {
    "backup": "Usage: kapacitor backup <file>\n\n    Save the server's database.\n",
    "level": "Usage: kapacitor level <debug|info|error>\n\n    Set the log level.\n",
    "stats": "Usage: kapacitor stats <general|ingress>\n\n    Show statistics.\n",
    "vars": "Usage: kapacitor vars\n\n    Print the server's debug variables as JSON.\n",
    "version": "Usage: kapacitor version\n\n    Show the version of this command.\n",
    "service-tests": """Usage: kapacitor service-tests <name or pattern>...

    Send a test message through services, with their default options.
""",
}
_TEST_WIDTHS = (20, 10, 0)


def service_tests(api: Api, arguments: list[str]) -> None:
    """Test the matching services and print each result."""
    if not arguments:
        raise CommandError("must provide at least one service name or pattern.")
    names = [
        service["name"]
        for pattern in arguments
        for service in api.get("/service-tests", {"pattern": pattern})["services"] or []
    ]
    print(row(_TEST_WIDTHS, ("Service", "Success", "Message")))
    for name in names:
        result = api.post(f"/service-tests/{name}", None)
        print(row(_TEST_WIDTHS, (name, yes(result["success"]), result["message"])))


def level(api: Api, arguments: list[str]) -> None:
    """Set the server's log level."""
    if not arguments:
        raise UsageError("Must pass a log level")
    api.post("/loglevel", {"level": arguments[0]})


def version(api: Api, arguments: list[str]) -> None:
    """Print the version."""
    from runtime.version import BUILD, VERSION

    print(f"Kapacitor OSS {VERSION} {BUILD}")


def variables(api: Api, arguments: list[str]) -> None:
    """Print the server's debug variables."""
    print(options(api.get("/debug/vars")))


def stats(api: Api, arguments: list[str]) -> None:
    """Print statistics of the server as a table, or writes by measurement."""
    if len(arguments) != 1:
        raise MissingError("must provide a stats category")
    found = api.get("/debug/vars")
    if arguments[0] == "general":
        for label, key in _GENERAL:
            print(row((30, 30), (f"{label}:", found.get(key, ""))))
    elif arguments[0] == "ingress":
        _ingress(found)
    else:
        # Kapacitor prints nothing at all
        print(f"unknown statistics category '{arguments[0]}'", file=sys.stderr)


_GENERAL = (
    ("ClusterID", "cluster_id"),
    ("ServerID", "server_id"),
    ("Host", "host"),
    ("Tasks", "num_tasks"),
    ("Enabled Tasks", "num_enabled_tasks"),
    ("Subscriptions", "num_subscriptions"),
    ("Platform", "platform"),
    ("Version", "version"),
)


def _ingress(found: dict[str, object]) -> None:
    head = ("Database", "Retention Policy", "Measurement")
    statistics = found.get("kapacitor")
    entries = statistics.values() if isinstance(statistics, dict) else ()
    counts: dict[tuple[str, ...], int] = {}
    for entry in entries:
        if entry.get("name") == "ingress":
            tags, values = entry["tags"], entry["values"]
            place = (tags["database"], tags["retention_policy"], tags["measurement"])
            counts[place] = int(values["points_received"])
    columns = zip(head, *counts, strict=True)
    widths = [*(width(0, column) for column in columns), 0]
    print(row(widths, (*head, "Points Received")))
    for names, count in sorted(counts.items()):
        print(row(widths, (*names, f"{count:>15}")))


def backup(api: Api, arguments: list[str]) -> None:
    """Save the server's database to a file."""
    if len(arguments) != 1:
        raise CommandError("must provide file path for backup.")
    target = Path(arguments[0])
    # in a second file until it is complete, so that a former backup stays until then
    part = target.with_name(f"{target.name}.part")
    parts = api.parts("/storage/backup")
    first = next(parts, b"")
    try:
        # only for the user, as it holds secrets
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(first)
            file.writelines(parts)
        part.replace(target)
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise CommandError(f"open {target}: {reason}") from fault
    finally:
        part.unlink(missing_ok=True)


COMMANDS = {
    "backup": backup,
    "level": level,
    "service-tests": service_tests,
    "stats": stats,
    "vars": variables,
    "version": version,
}
