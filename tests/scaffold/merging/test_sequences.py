"""Sequences merged by position and by key."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from scaffold.merging.sequences import order, regions
from scaffold.merging.versions import Versions

LISTS = st.lists(st.sampled_from("abcdef"), max_size=8)
SETS = st.lists(st.sampled_from("abcdef"), max_size=6, unique=True)


def parts(versions: Versions[Sequence[str]]) -> list[Versions[list[str]]]:
    """The items of each region."""
    return [
        Versions(
            *(
                list(each[place.start : place.stop])
                for each, place in zip(versions, numbers, strict=True)
            )
        )
        for numbers in regions(versions)
    ]


@given(LISTS, LISTS, LISTS)
def test_regions_hold_every_item_once_and_in_order(
    base: list[str], mine: list[str], new: list[str]
) -> None:
    versions = Versions(base, mine, new)
    for whole, pieces in zip(versions, zip(*parts(versions), strict=True), strict=True):
        assert [item for piece in pieces for item in piece] == whole


@given(LISTS, LISTS)
def test_what_one_side_changed_is_told_from_what_it_left(
    base: list[str], changed: list[str]
) -> None:
    for part in parts(Versions(base, base, changed)):
        assert part.base == part.mine
    for part in parts(Versions(base, changed, base)):
        assert part.base == part.new


def test_changes_that_touch_do_not_meet() -> None:
    found = parts(Versions(list("abc"), list("axbc"), list("aBc")))
    both = [part for part in found if part.base != part.mine and part.base != part.new]
    assert both == []
    found = parts(Versions(list("abc"), list("axc"), list("ayc")))
    assert Versions(["b"], ["x"], ["y"]) in found


@given(SETS, SETS, SETS)
def test_an_order_has_all_keys_once_and_keeps_that_of_one_side(
    base: list[str], mine: list[str], new: list[str]
) -> None:
    keys = order(Versions(base, mine, new))
    assert sorted(keys) == sorted({*mine, *new})
    sides = [[key for key in keys if key in each] for each in (mine, new)]
    assert mine in sides or new in sides


def test_an_addition_follows_what_it_follows_on_its_side() -> None:
    assert order(Versions(list("abc"), list("abmc"), list("abnc"))) == list("abmnc")
    assert order(Versions(list("abc"), list("cab"), list("abcn"))) == list("cnab")
    # and several stay together
    assert order(Versions(list("ab"), list("axyb"), list("apqb"))) == list("axypqb")
    assert order(Versions(list("ab"), list("axb"), list("xab"))) == list("xab")
