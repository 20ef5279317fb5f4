"""The vocabulary of specs as a project has it: the page, and the JSON Schema.

A module of its own: `check` and `list` compare them without rendering anything.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from scaffold import places
from scaffold.rendering.product import vocabulary_path


def vocabulary_files() -> dict[PurePosixPath, str]:
    """The text of both, by path."""
    from scaffold.spec.schema import schema

    # a project lacks the other pages, so links to them become plain text
    page = re.sub(
        r"\[([^]]+)\]\(\w+\.md[^)]*\)", r"\1", vocabulary_path().read_text("utf-8")
    )
    return {
        PurePosixPath("docs/specs.md"): page,
        places.SCHEMA: json.dumps(schema(), indent=2) + "\n",
    }
