"""Names of kept versions."""

from __future__ import annotations

import pytest

from scaffold.disk.kept import free_name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, "run.py"),
        ({"run.py": b""}, "run.py.2"),
        ({"run.py": b"", "run.py.2": b"x"}, "run.py.3"),
        ({"run.py.2": b""}, "run.py"),
    ],
)
def test_the_first_name_that_is_free(names: dict[str, bytes], expected: str) -> None:
    assert free_name("run.py", names.get) == expected
