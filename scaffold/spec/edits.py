"""Changes of a spec's TOML that keep its comments and its layout."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scaffold.errors import PlanError
from scaffold.spec import keys
from scaffold.spec.reader import Path
from scaffold.spec.toml import toml_text

if TYPE_CHECKING:
    from tomlkit.container import Container
    from tomlkit.items import Array, Item, Key

    Body = list[tuple[Key | None, Item]]

_KEY_PART = re.compile(r"""[ \t]*(?:"(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_ESCAPE = re.compile(r"\\(?:u.{4}|U.{8}|.)", re.DOTALL)
_CONTINUED = re.compile(r"\\[ \t]*\r?\n\s*")
_MULTI_LINE = ('"""', "'''")
_ORDER = tuple(key.name for key in keys.SPEC)


class Splice(NamedTuple):
    """New text for a part of a string.

    Attributes:
        start: position of the part in the string's value.
        end: position after it.
        text: the new text.
    """

    start: int
    end: int
    text: str


class Entry(NamedTuple):
    """A new key.

    Attributes:
        table: the table it belongs to.
        key: its name.
        value: its value.
    """

    table: Path
    key: str
    value: Any


class Edits(NamedTuple):
    """Changes of a spec.

    Attributes:
        keys: new names, by the path of the key.
        strings: new parts, by the path of the string.
        values: new values, by the path of the key.
        removed: paths of keys that are removed.
        added: new keys, each at the end of its table.
    """

    keys: Mapping[Path, str] = {}
    strings: Mapping[Path, Sequence[Splice]] = {}
    values: Mapping[Path, Any] = {}
    removed: Collection[Path] = ()
    added: Sequence[Entry] = ()


def edited(text: str, edits: Edits, path: str) -> str:
    """The text with the changes; every other character stays.

    Args:
        text: valid TOML.
        edits: the changes.
        path: its file, for messages.

    Raises:
        PlanError: its layout cannot be kept.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        changed = text
        if document.as_string() == text:
            _Editor(edits).edit(document, "\r\n" if "\r\n" in text else "\n")
            changed = document.as_string()
        wanted = _applied(tomllib.loads(text), edits)
        is_right = _filled(tomllib.loads(changed)) == _filled(wanted)
    except (TOMLKitError, ValueError):
        is_right = False
    if not is_right:
        problem = "has a layout that this command cannot keep; make the change by hand"
        raise PlanError(path, f"{problem}, then run `scaffold regenerate`")
    return changed


def _applied(document: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """The document with the changes, as plain values."""
    changed: dict[str, Any] = _plain(document, (), edits)
    for table, key, value in edits.added:
        inner: Any = changed
        for part in table:
            inner = inner.setdefault(part, {}) if isinstance(part, str) else inner[part]
        inner[key] = value
    return changed


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    """The document without empty tables, which only comments keep in the text."""
    return {key: value for key, value in document.items() if value != {}}


def _plain(value: Any, path: Path, edits: Edits) -> Any:
    if path in edits.values:
        return edits.values[path]
    if isinstance(value, dict):
        return {
            edits.keys.get((*path, key), key): _plain(each, (*path, key), edits)
            for key, each in value.items()
            if (*path, key) not in edits.removed
        }
    if isinstance(value, list):
        return [_plain(each, (*path, index), edits) for index, each in enumerate(value)]
    for splice in _last_first(edits.strings.get(path, ())):
        value = value[: splice.start] + splice.text + value[splice.end :]
    return value


def _last_first(splices: Sequence[Splice]) -> list[Splice]:
    return sorted(set(splices), reverse=True)


class _Editor:
    """Changes a document of tomlkit, which has no public way to rename a key in place."""

    def __init__(self, edits: Edits) -> None:
        self._edits = edits

    def edit(self, document: Container, newline: str) -> None:
        self._container(document, ())
        for entry in self._edits.added:
            _add(document, entry, newline)

    def _container(self, container: Container, path: Path) -> None:
        body = container.body
        column = _column(body)
        for number, (key, item) in enumerate(body):
            if key is not None:
                place = (*path, key.key)
                item = self._item(item, place)
                if new := self._edits.keys.get(place):
                    _rename_headers(item, len(place) - 1, new)
                    body[number] = (_renamed(key, new, column), item)
                else:
                    body[number] = (key, item)
        for key, item in list(body):
            if key is not None and self._is_removed((*path, key.key), item):
                at = next(at for at, (_, each) in enumerate(body) if each is item)
                _remove(body, at)
                if not path and at == len(body):
                    _end_without_blank(body)

    def _is_removed(self, path: Path, item: Item) -> bool:
        """True for a key to remove, and for a table of the spec that is empty then."""
        if path in self._edits.removed:
            return True
        removed_here = [each for each in self._edits.removed if each[:1] == path]
        return bool(removed_here) and _is_bare(item)

    def _item(self, item: Item, path: Path) -> Item:
        import tomlkit
        from tomlkit import items

        if path in self._edits.values:
            return _like(tomlkit.item(self._edits.values[path]), item)
        match item:
            case items.Table() | items.InlineTable():
                self._container(item.value, path)
                is_less = any(each[:-1] == path for each in self._edits.removed)
                if is_less and isinstance(item, items.InlineTable):
                    _close(item.value.body)
            case items.AoT():
                for index, table in enumerate(item.body):
                    self._container(table.value, (*path, index))
            case items.Array():
                self._array(item, path)
            case items.String():
                return self._string(item, path)
        return item

    def _array(self, array: Array, path: Path) -> None:
        for index, each in enumerate(list(array)):
            item = self._item(each, (*path, index))
            if item is not each:
                array[index] = item

    def _string(self, item: Item, path: Path) -> Item:
        import tomlkit

        splices = self._edits.strings.get(path)
        if not splices:
            return item
        made = tomlkit.value(_spliced(item.as_string(), splices))
        return _like(made, item)


def _like(item: Item, other: Item) -> Item:
    """An item with the whitespace and the comment of another item."""
    for name in ("indent", "comment_ws", "comment", "trail"):
        setattr(item.trivia, name, getattr(other.trivia, name))
    return item


def _spliced(raw: str, splices: Sequence[Splice]) -> str:
    """A string in TOML with new parts, as escapes and line ends were written."""
    mark = raw[:3] if raw.startswith(_MULTI_LINE) else raw[:1]
    inner = raw[len(mark) : -len(mark)]
    characters = list(_characters(inner, mark))
    for splice in _last_first(splices):
        start, end = characters[splice.start][0], characters[splice.end - 1][1]
        text = toml_text(splice.text)[1:-1] if mark[0] == '"' else splice.text
        inner = inner[:start] + text + inner[end:]
    return mark + inner + mark


def _characters(inner: str, mark: str) -> Iterator[tuple[int, int]]:
    """Start and end of the source of each character of a string."""
    at = 0
    if mark in _MULTI_LINE:  # a line end at the start is not part of it
        at = next((len(end) for end in ("\r\n", "\n") if inner.startswith(end)), 0)
    while at < len(inner):
        end = at + (2 if inner.startswith("\r\n", at) else 1)
        if mark[0] == '"' and inner[at] == "\\":
            if skipped := _CONTINUED.match(inner, at):
                at = skipped.end()
                continue
            escape = _ESCAPE.match(inner, at)
            end = escape.end() if escape else end
        yield at, end
        at = end


def _renamed(key: Key, new: str, column: int) -> Key:
    """A key with another name, in the same quotes; aligned if the keys are."""
    from tomlkit.items import SingleKey

    written = key.as_string()
    name = written.strip()
    quote = name[0] if name[0] in "\"'" else ""
    before, _, after = written.partition(name)
    made = f"{before}{quote}{new}{quote}"
    made += " " * max(column - len(made), 1) if column else after
    renamed = SingleKey(new, None, key.sep, made)
    renamed._dotted = key.is_dotted()
    return renamed


def _column(body: Body) -> int:
    """The column of the equals signs if the keys are padded to one; 0 if not."""
    written = [key.as_string() for key, _ in body if key is not None and key.sep]
    columns = {len(each) for each in written}
    is_padded = any(each.endswith("  ") for each in written)
    return columns.pop() if len(columns) == 1 and is_padded else 0


def _rename_headers(item: Item, number: int, new: str) -> None:
    """Rename a part of the header of a table, and of the tables in it."""
    from tomlkit.items import Table

    if not isinstance(item, Table):
        return
    if item.display_name is not None:
        parts = _KEY_PART.findall(item.display_name)
        name = parts[number].strip()
        quote = name[0] if name[0] in "\"'" else ""
        parts[number] = parts[number].replace(name, f"{quote}{new}{quote}")
        item.display_name = ".".join(parts)
    for _, each in item.value.body:
        _rename_headers(each, number, new)


def _remove(body: Body, number: int) -> None:
    """Remove an entry with its comma; comments after a table stay."""
    commas = [at for at, (key, item) in enumerate(body) if _is_comma(key, item)]
    after = next((at for at in commas if at > number), None)
    before = next((at for at in reversed(commas) if at < number), None)
    if after is not None:
        has_blank = after + 1 < len(body) and body[after + 1][0] is None
        del body[number : after + 1 + has_blank]
    elif before is not None:
        del body[before : number + 1]
    else:
        body[number : number + 1] = _comments_after(body[number][1])


def _close(body: Body) -> None:
    """Remove the whitespace of a table on one line that is empty now: `{}`."""
    if all(key is None and not item.as_string().strip() for key, item in body):
        body.clear()


def _end_without_blank(body: Body) -> None:
    """Remove the empty line that was between the last table and one that is removed."""
    from tomlkit.items import Whitespace

    last = _last_body(body[-1][1]) if body else []
    if last and isinstance(last[-1][1], Whitespace):
        del last[-1]


def _is_comma(key: Key | None, item: Item) -> bool:
    return key is None and item.as_string().strip() == ","


def _comments_after(item: Item) -> Body:
    """The comments below the last key of a table, which are about the text after them."""
    from tomlkit.items import Comment, Table

    body = item.value.body if isinstance(item, Table) else []
    if body and body[-1][0] is not None:
        return _comments_after(body[-1][1])
    tail = list(reversed(list(itertools.takewhile(_has_no_key, reversed(body)))))
    while tail and not isinstance(tail[0][1], Comment):
        del tail[0]
    return tail


def _has_no_key(entry: tuple[Key | None, Item]) -> bool:
    return entry[0] is None


def _is_bare(item: Item) -> bool:
    """True for a table without keys, and without comments on its line or below it."""
    from tomlkit.items import Comment, InlineTable, Table

    if not isinstance(item, Table | InlineTable) or item.trivia.comment:
        return False
    has_header = isinstance(item, InlineTable) or not item.is_super_table()
    return not any(
        key or (has_header and isinstance(each, Comment))
        for key, each in item.value.body
    )


def _add(document: Container, entry: Entry, newline: str) -> None:
    """Add an entry at the end of its table."""
    import tomlkit
    from tomlkit.items import InlineTable, Table

    table = _found(document, entry.table)
    line = f"{entry.key} = {toml_text(entry.value)}{newline}"
    if isinstance(table, InlineTable):
        _add_pair(table.value.body, line)
    elif isinstance(table, Table):
        _add_line(table.value.body, line)
    else:
        [name] = entry.table
        section = tomlkit.parse(f"[{name}]{newline}{line}").body[0]
        _add_section(document.body, section, newline)


def _found(container: Container, path: Path) -> Item | None:
    """The table at a path to which keys can be added."""
    from tomlkit.items import AoT, InlineTable, Table

    first, *rest = path
    for key, item in container.body:
        if key is None or key.key != first:
            continue
        if isinstance(item, AoT) and rest and isinstance(rest[0], int):
            return _found(item.body[rest[0]].value, tuple(rest[1:]))
        if isinstance(item, InlineTable) or (
            isinstance(item, Table) and not item.is_super_table()
        ):
            return _found(item.value, tuple(rest)) if rest else item
    return None


def _add_pair(body: Body, line: str) -> None:
    """Add a pair to a table on one line."""
    import tomlkit
    from tomlkit.items import Whitespace

    key, item = tomlkit.parse(line).body[0]
    item.trivia.trail = ""
    last = max(
        (at for at, (each, _) in enumerate(body) if each is not None), default=-1
    )
    if last < 0:
        blank = (None, Whitespace(" "))
        body[:] = [blank, (key, item), blank]
    else:
        between = [(None, Whitespace(",")), (None, Whitespace(" "))]
        body[last + 1 : last + 1] = [*between, (key, item)]


def _add_line(body: Body, line: str) -> None:
    """Add a line after the keys of a table, before the tables in it."""
    import tomlkit
    from tomlkit.items import AoT, Table

    key, item = tomlkit.parse(line).body[0]
    assert key is not None
    column = _column(body)
    last = -1
    for at, (each, other) in enumerate(body):
        if each is not None and (
            each.is_dotted() or not isinstance(other, Table | AoT)
        ):
            last = at
    if last >= 0 and not isinstance(body[last][1], Table):
        trivia = body[last][1].trivia
        item.trivia.indent = trivia.indent
        if not trivia.trail:  # the end of the file
            trivia.trail, item.trivia.trail = item.trivia.trail, ""
    if column > len(key.key):
        key = _renamed(key, key.key, column)
    body.insert(last + 1, (key, item))


def _add_section(body: Body, section: tuple[Key | None, Item], newline: str) -> None:
    """Add a table in the usual order of specs, separated as the other tables are."""
    from tomlkit.items import Table, Whitespace

    key, table = section
    assert key is not None
    assert isinstance(table, Table)
    before = _ORDER[: _ORDER.index(key.key) + 1]
    places = [number for number, (each, _) in enumerate(body) if each in before]
    at = 1 + max(places, default=-1)
    if at == len(body):
        table.trivia.indent = newline
    elif places:
        above = _last_body(body[at - 1][1])
        # comments directly above the next table are about that one
        comments = list(itertools.takewhile(_is_comment, reversed(above)))
        del above[len(above) - len(comments) :]
        if above and isinstance(above[-1][1], Whitespace):
            table.value.body.append((None, Whitespace(newline)))
        table.value.body.extend(reversed(comments))
    body.insert(at, section)


def _is_comment(entry: tuple[Key | None, Item]) -> bool:
    from tomlkit.items import Comment

    return isinstance(entry[1], Comment)


def _last_body(item: Item) -> Body:
    """The entries of a table, or of the last table in it."""
    from tomlkit.items import AoT, Table

    if isinstance(item, AoT):
        item = item.body[-1]
    body: Body = item.value.body if isinstance(item, Table) else []
    inner = _last_body(body[-1][1]) if body else []
    return inner or body
