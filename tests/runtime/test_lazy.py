"""Mappings whose values are made when they are first read."""

import threading

import pytest

from runtime.lazy import Lazy, given, made, with_given


def test_values_are_made_once_when_they_are_read() -> None:
    asked: list[str] = []

    def make(name: str) -> str:
        asked.append(name)
        return name.upper()

    values = Lazy(("b", "a"), make, {"c": "given"})
    assert (list(values), len(values), "a" in values, asked) == (
        ["b", "a", "c"],
        3,
        True,
        [],
    )
    assert (values["a"], values["a"], values.get("d"), asked) == ("A", "A", None, ["a"])
    assert dict(made(values)) == {"a": "A", "c": "given"}
    assert dict(given(values)) == {"c": "given"}
    assert values == {"a": "A", "b": "B", "c": "given"}


def test_an_error_is_raised_until_a_value_can_be_made() -> None:
    faults = [ValueError("no")]

    def make(name: str) -> str:
        if faults:
            raise faults.pop()
        return name

    values = Lazy(("a",), make)
    with pytest.raises(ValueError, match="no"):
        values["a"]
    assert values["a"] == "a"


def test_given_values_replace_what_would_be_made() -> None:
    values = Lazy(("a", "b"), str.upper)
    assert values["b"] == "B"
    changed = with_given(values, {"a": "mine"})
    assert dict(given(changed)) == dict(made(changed)) == {"a": "mine"}
    assert changed["b"] == "B"
    assert with_given({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
    assert given({"a": 1}) == made({"a": 1}) == {"a": 1}


def test_threads_get_the_same_value() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def make(name: str) -> object:
        begun.set()
        assert go_on.wait(10)
        return object()

    values = Lazy(("a",), make)
    seen: list[object] = []
    values.observer = seen.append
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(values["a"])) for _ in "ab"]
    for each in threads:
        each.start()
    assert begun.wait(10)
    go_on.set()
    for each in threads:
        each.join(10)
    assert len(found) == 2
    assert found[0] is found[1] is seen[0]
    assert len(seen) == 1
