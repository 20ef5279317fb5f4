"""Messages of several kinds that a fake server takes."""

from __future__ import annotations

from typing import Any

import msgspec


def fitting(value: object, *types: type[Any]) -> Any:
    """`value`, data from JSON, as the first of the types that it fits.

    Raises:
        msgspec.ValidationError: it fits none of the types.
    """
    problems = []
    for each in types:
        try:
            return msgspec.convert(value, each)
        except msgspec.ValidationError as error:
            problems.append(f"no {each.__name__}: {error}")
    raise msgspec.ValidationError("; ".join(problems))
