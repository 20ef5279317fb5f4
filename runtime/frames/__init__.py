"""Points in columns (`Frame`) and one by one (`Point`), and batches of either.

A frame holds the points of one measurement from one write, in arrival order. Its
columns are decoded on first use and then shared by every task;
frames are never changed, only derived from.
"""

from runtime.frames.columns import (
    Columns,
    FieldColumn,
    FieldKind,
    Picked,
    Rows,
    Table,
    TagColumn,
    TagsAndFields,
    row_of_columns,
    rows_of_columns,
)
from runtime.frames.frame import Batches, Frame
from runtime.frames.groups import Groups, Labels
from runtime.frames.points import NO_DIMENSIONS, Batch, Dimensions, Point, Value

__all__ = [
    "NO_DIMENSIONS",
    "Batch",
    "Batches",
    "Columns",
    "Dimensions",
    "FieldColumn",
    "FieldKind",
    "Frame",
    "Groups",
    "Labels",
    "Picked",
    "Point",
    "Rows",
    "Table",
    "TagColumn",
    "TagsAndFields",
    "Value",
    "row_of_columns",
    "rows_of_columns",
]
