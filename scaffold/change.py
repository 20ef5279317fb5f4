"""Changes of a tree: the one value between the core and the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

_CONTEXT = 3
_NO_END = "\\ No newline at end of file\n"


class Change(NamedTuple):
    """One file, before and after.

    Attributes:
        path: path below the project's root.
        before: its bytes now; None: it does not exist.
        after: its bytes afterwards; None: it is removed.
        mode: permissions of a file that is created; None: those that the umask leaves. An
            existing file keeps its own.
    """

    path: PurePosixPath
    before: bytes | None
    after: bytes | None
    mode: int | None = None

    @property
    def is_state(self) -> bool:
        """True if it is the generator's own record, not a file for people."""
        return self.path.parts[0] == ".scaffold"

    def counts(self) -> tuple[int, int]:
        """Numbers of added and removed lines."""
        added = removed = 0
        for line in _body(self):
            added += line.startswith("+")
            removed += line.startswith("-")
        return added, removed


def unified(changes: Iterable[Change]) -> str:
    """A patch of all changes that `git apply` accepts; "" if there are none.

    Bytes that are not UTF-8 become surrogates: write it with `surrogateescape`.
    """
    return "".join(line for change in changes for line in _file(change))


def _file(change: Change) -> Iterator[str]:
    if change.before == change.after:
        return
    path = change.path
    yield f"diff --git a/{path} b/{path}\n"
    if change.before is None:
        mode = 100755 if (change.mode or 0) & 0o111 else 100644
        yield f"new file mode {mode}\n"
    elif change.after is None:
        yield "deleted file mode 100644\n"
    body = list(_body(change))
    if body:
        yield "--- /dev/null\n" if change.before is None else f"--- a/{path}\n"
        yield "+++ /dev/null\n" if change.after is None else f"+++ b/{path}\n"
        yield from body


def _body(change: Change) -> Iterator[str]:
    before, after = _lines(change.before), _lines(change.after)
    if not before or not after:
        lines, sign = (after, "+") if after else (before, "-")
        if lines:
            ranges = ("0,0", _range(0, len(lines)))
            old, new = ranges if after else ranges[::-1]
            yield f"@@ -{old} +{new} @@\n"
            yield from _signed(sign, lines)
        return
    for group in _groups(before, after):
        first, last = group[0], group[-1]
        old, new = _range(first[1], last[2]), _range(first[3], last[4])
        yield f"@@ -{old} +{new} @@\n"
        for tag, a0, a1, b0, b1 in group:
            if tag == "equal":
                yield from _signed(" ", before[a0:a1])
            else:
                yield from _signed("-", before[a0:a1])
                yield from _signed("+", after[b0:b1])


def _groups(
    before: Sequence[str], after: Sequence[str]
) -> Iterable[list[tuple[str, int, int, int, int]]]:
    import difflib  # not needed for files that are new

    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return matcher.get_grouped_opcodes(_CONTEXT)


def _lines(data: bytes | None) -> list[str]:
    """Lines as patches count them: only a line feed ends one."""
    text = (data or b"").decode("utf-8", "surrogateescape")
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _signed(sign: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line
        if not line.endswith("\n"):
            yield "\n" + _NO_END


def _range(start: int, stop: int) -> str:
    count = stop - start
    first = start + 1 if count else start
    return str(first) if count == 1 else f"{first},{count}"
