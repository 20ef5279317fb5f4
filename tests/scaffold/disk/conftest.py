"""Every test of the disk runs over both ways to use the operating system."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scaffold.disk import platform, posix, windows


@pytest.fixture(autouse=True, params=["posix", "windows"])
def system(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the module in use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            platform, "system", {"posix": posix, "windows": windows}[request.param]
        )
        yield request.param
