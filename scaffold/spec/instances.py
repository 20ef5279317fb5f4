"""`[instances]` of a spec: several sections of one handler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffold import names
from scaffold.spec import keys
from scaffold.spec.model.handler import InstancesSpec
from scaffold.spec.reader import Path, Reader

_PATH: Path = ("instances",)
FLAG_KEY = "default"
"""The setting that marks the default section."""
_FLAG = {
    "type": "bool",
    "doc": "makes this the section of handlers that choose none.",
}
# keys of the setting with the name of a section
_OF_KEY = ("type", "doc", "default", "examples", "formerly")
_OF_OPTION = ("type", "doc", "tick", "alias", "examples", "formerly")


def read_instances(
    reader: Reader, table: Mapping[str, Any] | None
) -> InstancesSpec | None:
    """`[instances]`; None where there is none."""
    if table is None:
        return None
    given = reader.keys(table, _PATH, keys.INSTANCES)
    key = given.get("key", "name")
    option = given.get("option", key)
    for name, value in (("key", key), ("option", option)):
        path = (*_PATH, name if name in given else "key")
        reader.take(names.key_faults(value, ""), path)
    return InstancesSpec(key, option, given.get("default", "flag"))


def settings(
    reader: Reader, instances: InstancesSpec | None, config: Mapping[str, Any]
) -> dict[str, Any]:
    """`[config]`, with the settings that distinguish sections first."""
    if instances is None:
        return dict(config)
    added: dict[str, Any] = {}
    if instances.default == "flag":
        if FLAG_KEY in config:
            problem = 'is added by default = "flag" of [instances]; remove it here'
            reader.fault(("config", FLAG_KEY), problem)
        added[FLAG_KEY] = _FLAG
    own = config.get(instances.key, {})
    _check_name(reader, own, ("config", instances.key), _OF_KEY)
    added[instances.key] = _named(own, "name of this section.")
    return {**added, **{key: config[key] for key in config if key not in added}}


def options(
    reader: Reader, instances: InstancesSpec | None, table: Mapping[str, Any]
) -> dict[str, Any]:
    """`[option]`, with the option that chooses a section first."""
    if instances is None:
        return dict(table)
    for key, entry in table.items():
        if isinstance(entry, dict) and entry.get("bind") == "create":
            problem = (
                "conflicts with [instances]: the section is not yet known then; "
                "remove it"
            )
            reader.fault(("option", key, "bind"), problem)
    own = table.get(instances.option, {})
    _check_name(reader, own, ("option", instances.option), _OF_OPTION)
    ending = "" if instances.default == "none" else "; defaults to the default one"
    made = _named(own, f"{instances.key} to use{ending}.")
    return {
        instances.option: made,
        **{k: v for k, v in table.items() if k != instances.option},
    }


def test_options(
    instances: InstancesSpec | None, table: Mapping[str, Any]
) -> dict[str, Any]:
    """`[test]` with the option that chooses a section, added first if missing."""
    if instances is None:
        return dict(table)
    feeds = (f"opt.{instances.option}", f"opt.{names.identifier(instances.option)}")
    is_fed = instances.option in table or any(
        isinstance(each, dict) and each.get("feeds") in feeds for each in table.values()
    )
    if is_fed:
        return dict(table)
    configured = f"${{config.{names.identifier(instances.key)}}}"
    return {instances.option: configured, **table}


def check_flags(
    reader: Reader, instances: InstancesSpec | None, flags: tuple[str, ...]
) -> None:
    """Refuse flags that need a default section if there is none."""
    if instances is not None and instances.default == "none" and "global" in flags:
        problem = (
            "'global' has no effect with [instances] default = \"none\": "
            "it is that of the default section"
        )
        reader.fault(("handler", "flags"), problem)


def _named(own: Any, doc: str) -> Any:
    return {"doc": doc, **own} if isinstance(own, dict) else own


def _check_name(reader: Reader, own: Any, path: Path, allowed: tuple[str, ...]) -> None:
    """Refuse rules for the name of sections, and other types than strings."""
    if not isinstance(own, dict):
        return
    if own.get("type", "str") not in ("str", "string"):
        problem = "must be a string: it is the name of a section"
        reader.fault((*path, "type"), problem)
    known = {each.name for each in (*keys.CONFIG, *keys.OPTION)}
    for key in own:
        if key in known and key not in allowed:
            problem = "has no effect on the name of a section; remove it"
            reader.fault((*path, key), problem)
