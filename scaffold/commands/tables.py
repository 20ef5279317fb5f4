"""`scaffold places` and `scaffold schema`: the two tables, the JSON Schema of specs."""

from __future__ import annotations

import json
from typing import Any

from scaffold.places import CREATE, EDIT, SPEC_PATH
from scaffold.report import Report


def places() -> Report:
    """The tables CREATE and EDIT."""
    lines = ["create", f"  {SPEC_PATH}"]
    lines += [f"  {entry.path}" for entry in CREATE]
    lines.append("edit")
    width = max(len(str(entry.path)) for entry in EDIT)
    place_width = max(len(entry.place) for entry in EDIT)
    lines += [
        f"  {str(entry.path).ljust(width)}  {entry.place.ljust(place_width)}  "
        f"{entry.anchor.name}"
        for entry in EDIT
    ]
    return Report(
        "places",
        output="\n".join([*lines, ""]),
        summary=f"{len(CREATE) + 1} files, {len(EDIT)} places",
        extra=_tables(),
    )


def schema() -> Report:
    """The JSON Schema of specs."""
    from scaffold.spec import schema as schemas

    made = schemas.schema()
    return Report(
        "schema",
        output=json.dumps(made, indent=2) + "\n",
        summary="one schema",
        extra={"spec": made},
    )


def _tables() -> dict[str, Any]:
    created = [{"path": SPEC_PATH, "template": ""}]
    created += [
        {"path": str(entry.path), "template": entry.template} for entry in CREATE
    ]
    edited = [
        {
            "path": str(entry.path),
            "place": entry.place,
            "anchor": entry.anchor.name,
            "key": entry.key,
            "template": entry.template,
        }
        for entry in EDIT
    ]
    return {"create": created, "edit": edited}
