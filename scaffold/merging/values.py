"""Merges values: brackets by their entries, strings by their lines."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import libcst as cst

from scaffold.merging import documents
from scaffold.merging.clash import ClashError
from scaffold.merging.meanings import Meanings
from scaffold.merging.nodes import Key
from scaffold.merging.sequences import order, without_names
from scaffold.merging.versions import Versions
from scaffold.patching import brackets

_Container = cst.Dict | cst.Set | cst.List | cst.Tuple | cst.Call
_PROSE = PurePosixPath("docstring")


def merged(versions: Versions[Any], meanings: Meanings) -> Any:
    """A value, by its entries where it has brackets.

    Args:
        versions: the value in each version.
        meanings: those of the merge.

    Raises:
        ClashError: both sides changed it, or the same entry.
    """
    base, mine, new = versions
    with contextlib.suppress(ClashError):
        return meanings.part(versions)
    if not type(base) is type(mine) is type(new):
        raise ClashError
    if isinstance(mine, cst.SimpleString):
        return _prose(versions)
    if isinstance(mine, cst.Await):
        inner = Versions(*(each.expression for each in versions))
        return mine.with_changes(expression=merged(inner, meanings))
    if isinstance(mine, _Container):
        return _bracketed(versions, meanings)
    raise ClashError


def _prose(versions: Versions[cst.SimpleString]) -> cst.SimpleString:
    """A string, such as a docstring, merged by its lines."""
    mine = versions.mine
    opening = mine.prefix + mine.quote
    if any(each.prefix + each.quote != opening for each in versions):
        raise ClashError
    texts = Versions(*(each.raw_value.split("\n") for each in versions))
    lines, is_clean = documents.by_lines(_PROSE, texts, "mine")
    if not is_clean:
        raise ClashError
    return mine.with_changes(value=opening + "\n".join(lines) + mine.quote)


def _bracketed(versions: Versions[Any], meanings: Meanings) -> Any:
    """A literal or a call, merged by its entries.

    The person's brackets get the entries that the generator added, lose those that it
    removed, and keep all comments.
    """
    mine = versions.mine
    changes = {}
    if isinstance(mine, cst.Call):
        changes = meanings.parts(versions, ("func",))
    inside = brackets.contents(mine)
    nodes = Versions(
        *(_entries(brackets.contents(each).nodes, meanings) for each in versions)
    )
    wanted = _wanted(nodes, meanings)
    is_tuple = isinstance(mine, cst.Tuple)
    keys = list(nodes.mine)
    for key in nodes.mine:
        at = keys.index(key)
        if key not in wanted:
            inside = brackets.removed(inside, at, is_tuple=is_tuple)
            keys.remove(key)
        elif wanted[key] is not nodes.mine[key]:
            inside = brackets.replaced(inside, at, wanted[key])
    indent = _indent_of(inside)
    at = 0
    for key, node in wanted.items():
        if key not in keys:
            inside = brackets.inserted(inside, at, node, indent, is_tuple=is_tuple)
            keys.insert(at, key)
        at = keys.index(key) + 1
    return brackets.filled(mine.with_changes(**changes), inside)


def _wanted(
    nodes: Versions[dict[Key, brackets.Node]], meanings: Meanings
) -> dict[Key, brackets.Node]:
    """The entries of merged brackets, in order.

    Raises:
        ClashError: both sides changed the same one.
    """
    unnamed = Versions(
        *({k: n for k, n in each.items() if k[0] == "entry"} for each in nodes)
    )
    found_unnamed = dict(without_names(unnamed))
    found: dict[Key, brackets.Node] = {}
    for key in order(Versions(*map(list, nodes))):
        if key[0] == "entry":
            if key in found_unnamed:
                found[key] = found_unnamed[key]
            continue
        node = _entry(Versions(*(each.get(key) for each in nodes)), meanings)
        if node is not None:
            found[key] = node
    return found


def _entry(versions: Versions[Any], meanings: Meanings) -> Any:
    """An entry with a name: a keyword, a key with its value."""
    with contextlib.suppress(ClashError):
        return meanings.part(versions)
    if None in versions:
        raise ClashError
    values = Versions(*(each.value for each in versions))
    return versions.mine.with_changes(value=merged(values, meanings))


def _entries(
    nodes: Sequence[brackets.Node], meanings: Meanings
) -> dict[Key, brackets.Node]:
    """Entries by their names; those without a name by their content."""
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[Key, brackets.Node] = {}
    for index, node in enumerate(nodes):
        if isinstance(node, cst.DictElement):
            kind, name = "key", meanings.key(node.key)
        elif isinstance(node, cst.Arg):
            word = node.keyword.value if node.keyword else str(index)
            kind, name = "argument", node.star + word
        else:
            kind, name = "entry", meanings.key(node)
        counts[kind, name] += 1
        found[kind, name, str(counts[kind, name])] = node
    return found


def _indent_of(inside: brackets.Contents) -> str:
    """The indentation of the lines between brackets; "" if they are on one."""
    for gap in inside.gaps:
        if isinstance(gap, cst.ParenthesizedWhitespace):
            return gap.last_line.value
    return ""
