"""Specs with one key changed."""

from __future__ import annotations

import pytest

from scaffold.spec.variants import variants
from tests.scaffold.rendered import ALL, spec_of


def test_each_key_is_changed_alone() -> None:
    spec = ALL["foo"]
    found = dict(variants(spec))
    assert ("handler", "title") in found
    assert ("config", "room", "doc") in found
    assert ("request", 0, "json", "message") in found
    other = found["config", "room", "doc"]
    assert other.title == spec.title
    assert other.document != spec.document
    assert found["handler", "title"].title == "Foo other"


@pytest.mark.parametrize("kind", ["minimal", "everything", "hipchat"])
def test_most_keys_can_be_changed(kind: str) -> None:
    spec = spec_of(kind)
    found = list(variants(spec))
    assert len(found) >= 3
    assert all(other.document != spec.document for _, other in found)
    assert len({path for path, _ in found}) == len(found)
