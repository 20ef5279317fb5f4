"""The import lines of generated modules."""

from __future__ import annotations

from collections.abc import Iterable

from scaffold.rendering.source import LINE_LENGTH

# where each name comes from; a dot first: from the runtime
_MODULES = {
    "dataclass": "dataclasses",
    "field": "dataclasses",
    "replace": "dataclasses",
    "ClassVar": "typing",
    "Self": "typing",
    "parse_qsl": "urllib.parse",
    "ConfigError": ".errors",
    "DeliveryError": ".errors",
    "NO_SECRET": ".secrets",
    "Secret": ".secrets",
    "Duration": ".units",
    "go_duration": ".units",
    **dict.fromkeys(("HOUR", "MINUTE", "SECOND", "MILLISECOND"), ".units"),
    "setting": ".settings",
    "AlertHandler": ".pipeline.handler",
    "ZERO": ".pipeline.properties",
    "Event": ".alert.types",
    "EventData": ".alert.types",
    "EventState": ".alert.types",
    "Level": ".alert.types",
    "dumps": ".golang.json",
    "encode": ".golang.json",
    "text": ".golang.printing",
    "Request": ".http_client",
    "Response": ".http_client",
    "HttpService": ".services.service",
    "check_url": ".services.urls",
    "below": ".services.urls",
    "form": ".services.urls",
    "join": ".services.urls",
    "LoopbackServer": ".testing.loopback",
    **dict.fromkeys(
        (
            "at_least", "at_most", "authorization", "b64", "b64url", "basic_auth", "contains",
            "entries_of", "error_text", "event_tree", "first_row", "get", "given",
            "hmac_sha256", "hmac_sha256_hex", "html", "items_of", "joined", "length", "less",
            "matches", "more", "parse_error", "parse_time", "quote", "result_tree", "rfc3339",
            "seconds", "unix", "unix_ms", "without_empty",
        ),
        ".services.expressions",
    ),
}  # fmt: skip


def import_lines(
    names: Iterable[str], package: str, own: Iterable[tuple[str, str]] = ()
) -> str:
    """Import statements for `names`, sorted and grouped as ruff wants them.

    Args:
        names: what a module needs; names that are no imports are left out.
        package: the import package that the handler is in.
        own: further (module, name) pairs; `services.…` are of that package, all others of
            the runtime.
    """
    modules: dict[str, set[str]] = {}
    for name in names:
        if name in _MODULES:
            modules.setdefault(_MODULES[name], set()).add(name)
    found = {_full(module): names for module, names in modules.items()}
    for module, name in own:
        root = package if module.startswith("services.") else "runtime"
        found.setdefault(f"{root}.{module}", set()).add(name)
    groups: list[list[str]] = [[], [], []]
    for module in sorted(found):
        top = module.partition(".")[0]
        # to a project of its own the runtime is one library among others
        group = 2 if top == package else int(top == "runtime")
        groups[group].append(_line(module, sorted(found[module], key=_order)))
    return "\n\n".join("\n".join(group) for group in groups if group)


def _full(module: str) -> str:
    return f"runtime{module}" if module.startswith(".") else module


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    if name.isupper():
        return 0, name
    return (1 if name[:1].isupper() else 2), name


def _line(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= LINE_LENGTH:
        return line
    inner = "".join(f"    {name},\n" for name in names)
    return f"from {module} import (\n{inner})"
