"""Registrations in TOML and Markdown files."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.errors import AnchorNotFound, UnreadableFile
from scaffold.patching.patch import Outcome, Registration, register
from scaffold.patching.slots import Anchor
from scaffold.patching.text_anchors import Changelog, MarkdownList, TomlSections

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
    text: str, anchor: Anchor, key: str, fragment: str, **more: str
) -> tuple[str, Outcome]:
    path = PurePosixPath("some.txt")
    asked = Registration(path, "place", anchor, key, fragment, **more)
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
    assert outcome.action == "register"
    assert "[bar]\nx = 1" in patched
    assert patched.startswith(text.rstrip("\n"))


@pytest.mark.parametrize("key", ["http", "foo"])
def test_tables_and_samples_of_tables_are_registered(key: str) -> None:
    text, outcome = put(CONF, TomlSections(), key, "[x]")
    assert (text, outcome.action) == (CONF, "registered")


@pytest.mark.parametrize("key", ["not", "nor"])
def test_what_only_looks_like_a_table_is_none(key: str) -> None:
    assert put(CONF, TomlSections(), key, f"[{key}]")[1].action == "register"


def test_a_table_is_replaced_with_its_comments() -> None:
    old = "# About foo.\n#[foo]\n#  enabled = false\n"
    text, outcome = put(CONF, TomlSections(), "foo", "# New.\n[foo]", previous=old)
    assert outcome.action == "update"
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


def test_no_list_of_pages_is_an_error() -> None:
    with pytest.raises(AnchorNotFound, match="not found"):
        put("# Handlers\n", MarkdownList(), "handlers/zoo.md", "* x")


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
    ],
)
def test_a_change_goes_under_unreleased(before: str, after: str) -> None:
    text, _ = put(before, Changelog(), "new", "* `new`")
    assert after in text


def test_a_changelog_without_unreleased_is_an_error() -> None:
    with pytest.raises(AnchorNotFound, match="Unreleased"):
        put("# Log\n\n## 1.0\n", Changelog(), "new", "* `new`")


def test_an_unresolved_merge_is_refused() -> None:
    text = "## Unreleased\n\n<<<<<<< a\n* a\n=======\n* b\n>>>>>>> b\n"
    with pytest.raises(UnreadableFile, match=r"some.txt:3: holds a conflict marker"):
        put(text, Changelog(), "new", "* `new`")


def test_a_line_below_a_heading_is_no_merge() -> None:
    text = "Log\n=======\n\n## Unreleased\n\n* `a`\n"
    assert put(text, Changelog(), "new", "* `new`")[1].action == "register"
