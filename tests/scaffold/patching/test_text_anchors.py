"""Registrations in TOML and Markdown files."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.errors import UnreadableFile
from scaffold.patching.markdown_lists import Changelog, MarkdownList
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    EntryUpdated,
    PlaceMissing,
    PlaceOutcome,
    Registered,
)
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.slots import Anchor
from scaffold.patching.toml_tables import TomlSections

CONF = """\
hostname = "x" # [not.one]
text = '''
[nor.this]
'''

[http]
  bind = ":9092"
[http.more]
  x = 1

# About foo.
#[foo]
#  enabled = false
"""


def put(
    text: str, anchor: Anchor, key: str, entry: str, base: str | None = None
) -> tuple[str, PlaceOutcome]:
    path = PurePosixPath("some.txt")
    asked = Registration(Place(path, "place", anchor, key), entry, base)
    patched, [outcome] = register(path, text.encode(), [asked])
    assert register(path, patched, [asked])[0] == patched
    return patched.decode(), outcome


def test_a_new_table_goes_last() -> None:
    text, outcome = put(CONF, TomlSections(), "bar", "[bar]\n  enabled = false")
    assert text == CONF + "\n[bar]\n  enabled = false\n"
    assert outcome.line == 15


def test_blank_lines_at_the_end_stay_at_the_end() -> None:
    text, _ = put("[a]\nx = 1\n\n\n", TomlSections(), "bar", "[bar]")
    assert text == "[a]\nx = 1\n\n[bar]\n\n\n"


def test_a_table_without_a_last_line_end() -> None:
    text, _ = put("[a]\nx = 1", TomlSections(), "bar", "[bar]\ny = 2")
    assert text == "[a]\nx = 1\n\n[bar]\ny = 2"


@pytest.mark.parametrize("text", ["", "\n\n", "x = 1\n", "# nothing yet"])
def test_a_file_without_tables(text: str) -> None:
    patched, outcome = put(text, TomlSections(), "bar", "[bar]\nx = 1")
    assert isinstance(outcome, Registered)
    assert "[bar]\nx = 1" in patched
    assert patched.startswith(text.rstrip("\n"))


@pytest.mark.parametrize("key", ["http", "foo"])
def test_tables_and_samples_of_tables_are_registered(key: str) -> None:
    text, outcome = put(CONF, TomlSections(), key, "[x]")
    assert (text, type(outcome)) == (CONF, AlreadyRegistered)


@pytest.mark.parametrize("key", ["not", "nor"])
def test_what_only_looks_like_a_table_is_none(key: str) -> None:
    assert isinstance(put(CONF, TomlSections(), key, f"[{key}]")[1], Registered)


def test_a_table_is_replaced_with_its_comments() -> None:
    old = "# About foo.\n#[foo]\n#  enabled = false\n"
    text, outcome = put(CONF, TomlSections(), "foo", "# New.\n[foo]", base=old)
    assert isinstance(outcome, EntryUpdated)
    assert text.endswith("  x = 1\n\n# New.\n[foo]\n")


PAGES = """\
# Handlers

* [Elsewhere](elsewhere.md)

```
* [Foo](handlers/code.md)
```

* [Bar](handlers/bar.md): Bar,
  in two lines.
* [Foo](handlers/foo.md): Foo.

Text.
"""


def test_a_page_goes_in_order() -> None:
    line = "* [Cat](handlers/cat.md): Cat."
    text, _ = put(PAGES, MarkdownList(), "handlers/cat.md", line)
    assert f"  in two lines.\n{line}\n* [Foo]" in text


def test_a_page_in_a_table() -> None:
    table = "| page |\n|---|\n| [Bar](handlers/bar.md) |\n| [Foo](handlers/foo.md) |\n"
    text, _ = put(
        table, MarkdownList(), "handlers/zoo.md", "| [Zoo](handlers/zoo.md) |"
    )
    assert text == table + "| [Zoo](handlers/zoo.md) |\n"


def test_the_first_page_goes_last() -> None:
    line = "- [Zoo](handlers/zoo.md): Zoo."
    text, _ = put("# Handlers\n\nNone.\n", MarkdownList(), "handlers/zoo.md", line)
    assert text == f"# Handlers\n\nNone.\n\n{line}\n"


@pytest.mark.parametrize(
    "link", ["(./handlers/foo.md)", "(<handlers/foo.md>)", '(handlers/foo.md#x "Foo")']
)
def test_a_page_is_found_by_its_target(link: str) -> None:
    text = f"- [Foo]{link}\n"
    assert put(text, MarkdownList(), "handlers/foo.md", "- x")[1].verb == "registered"


def test_of_several_lists_the_longest_takes_the_page() -> None:
    text = (
        "- [A](handlers/a.md)\n\nMore:\n\n- [B](handlers/b.md)\n- [D](handlers/d.md)\n"
    )
    line = "- [C](handlers/c.md)"
    assert (
        f"b.md)\n{line}\n- [D]" in put(text, MarkdownList(), "handlers/c.md", line)[0]
    )
    assert put(text, MarkdownList(), "handlers/a.md", "- x")[0] == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# Log\n\n## Unreleased\n\n## 1.0\n\n* `old`\n",
            "## Unreleased\n\n* `new`\n\n## 1.0",
        ),
        ("## [Unreleased]\n\n* `a`\n  b\n* c\n", "* c\n* `new`\n"),
        (
            "## Unreleased\n\n### Fixed\n\n* `a`\n\n### Added\n\n* `b`\n\n## 1.0\n",
            "* `b`\n* `new`\n\n## 1.0",
        ),
        ("## Unreleased\n", "## Unreleased\n\n* `new`\n"),
        ("## [Unreleased] - YYYY-MM-DD\n\n* `a`\n", "* `a`\n* `new`\n"),
        ("## [Unreleased](https://x.y/z)\n\n* `a`\n", "* `a`\n* `new`\n"),
        ("Log\n===\n\nUnreleased\n----------\n\n* `a`\n", "* `a`\n* `new`\n"),
        ("Unreleased\n---\n\n1.0\n---\n\n* `a`\n", "---\n\n* `new`\n\n1.0"),
        ("## Unreleased changes ##\n\n* `a`\n", "* `a`\n* `new`\n"),
        ('## <a name="x"></a>**Unreleased**\n\n* `a`\n', "* `a`\n* `new`\n"),
        ("# UNRELEASED\n\n## Fixed\n\n* `a`\n", "RELEASED\n\n* `new`\n\n## Fixed"),
        ("## Unreleased\n\n* `a`\n\n## Unreleased\n", "* `a`\n* `new`\n\n## U"),
        ("## Unreleased\n### New features\n* `a`\n### Bugs\n", "* `a`\n* `new`\n###"),
    ],
)
def test_a_change_goes_under_unreleased(before: str, after: str) -> None:
    text, _ = put(before, Changelog(), "new", "* `new`")
    assert after in text


def test_a_changelog_without_unreleased_is_an_error() -> None:
    _, outcome = put("# Log\n\n## 1.0\n", Changelog(), "new", "* `new`")
    assert isinstance(outcome, PlaceMissing)
    assert "Unreleased" in str(outcome.error)


def test_an_unresolved_merge_is_refused() -> None:
    text = "## Unreleased\n\n<<<<<<< a\n* a\n=======\n* b\n>>>>>>> b\n"
    with pytest.raises(UnreadableFile, match=r"some.txt:3: holds a conflict marker"):
        put(text, Changelog(), "new", "* `new`")


def test_a_line_below_a_heading_is_no_merge() -> None:
    text = "Log\n=======\n\n## Unreleased\n\n* `a`\n"
    assert isinstance(put(text, Changelog(), "new", "* `new`")[1], Registered)
