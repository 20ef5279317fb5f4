"""The one type that holds secrets."""

from __future__ import annotations


class Secret:
    """A text that never shows itself: `str`, `repr` and formatting give `***`.

    Only `reveal()` returns it, so every use of the value can be found by name.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret cannot be pickled")


# what a field of type Secret holds when nothing was said
NO_SECRET = Secret()
