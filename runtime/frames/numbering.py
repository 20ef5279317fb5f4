"""Numbers for combinations of codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def numbered(
    columns: Sequence[NDArray[np.int32]], length: int
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Number the combinations of codes in order of appearance; the first row of each."""
    if not columns:
        return np.zeros(length, dtype=np.int32), np.arange(min(length, 1))
    keys = np.zeros(length, dtype=np.int64)
    bound = 1
    for codes in columns:
        size = int(codes.max(initial=-1)) + 2
        if bound * size > 1 << 62:
            keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
            bound = length
        keys = keys * size + (codes + 1)
        bound *= size
    if bound > 4 * length + 1024:
        keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        bound = length
    # few possible values: a table of first rows beats sorting
    first_of = np.full(bound, length, dtype=np.intp)
    # of several assignments to one place the last one holds
    first_of[keys[::-1]] = np.arange(length - 1, -1, -1)
    present = np.flatnonzero(first_of < length)
    order = np.argsort(first_of[present])
    rank = np.empty(bound, dtype=np.int32)
    rank[present[order]] = np.arange(len(present), dtype=np.int32)
    return rank[keys], first_of[present[order]]
