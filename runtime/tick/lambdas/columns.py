"""Expressions compiled to functions of whole frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.frames import FieldKind, Frame
from runtime.tick.lambdas.evaluator import Evaluator


@dataclass(frozen=True, slots=True)
class Column:
    """The values of an expression at every point of a frame.

    Attributes:
        kind: float, int, string or bool.
        values: one per row, or a single Python value that all rows share.
        valid: the rows whose value is certain; None means all.
    """

    kind: FieldKind
    values: Any
    valid: NDArray[np.bool_] | None = None


ColumnFunction = Callable[[Frame], Column | None]


def column_function(node: Evaluator) -> ColumnFunction | None:
    """The function, or None where rows are the only way."""
    return None
