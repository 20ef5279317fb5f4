"""Registrations in Markdown files."""

from __future__ import annotations

import pytest

from scaffold.errors import UnreadableFile
from scaffold.patching.markdown_lists import Changelog, MarkdownList
from scaffold.patching.outcomes import PlaceMissing, Registered
from tests.scaffold.patching.text import put

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
    assert outcome.error is not None
    assert outcome.error.problem == f"{Changelog().name}: not found"
    assert "Unreleased" in Changelog().name


def test_an_unresolved_merge_is_refused() -> None:
    text = "## Unreleased\n\n<<<<<<< a\n* a\n=======\n* b\n>>>>>>> b\n"
    with pytest.raises(UnreadableFile, match=r"some.txt:3: contains a conflict marker"):
        put(text, Changelog(), "new", "* `new`")


def test_a_line_below_a_heading_is_no_merge() -> None:
    text = "Log\n=======\n\n## Unreleased\n\n* `a`\n"
    assert isinstance(put(text, Changelog(), "new", "* `new`")[1], Registered)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # underlined headings have levels, too
        ("Unreleased\n===\n\nAdded\n---\n\n* `a`\n", "* `a`\n* `new`\n"),
        ("Unreleased\n---\n\n* `a`\n\n1.0\n---\n\n* `b`\n", "* `a`\n* `new`\n\n1.0"),
        # the part of additions ends with the next part
        (
            "## Unreleased\n\n### Added\n\n### Fixed\n\n* `b`\n",
            "### Added\n\n* `new`\n\n### Fixed",
        ),
        # without one, above the first part
        (
            "## Unreleased\n\n* `a`\n\n### Fixed\n\n* `b`\n",
            "* `a`\n* `new`\n\n### Fixed",
        ),
        (
            "## Unreleased\n\n### Fixed\n\n* `b`\n",
            "## Unreleased\n\n* `new`\n\n### Fixed",
        ),
        ("Unreleased\n---\n\n### Added\n\n* `a`\n", "* `a`\n* `new`\n"),
        # a part of another version is none of this one
        (
            "## Unreleased\n\n## 1.0\n\n### Added\n",
            "## Unreleased\n\n* `new`\n\n## 1.0",
        ),
        ("\ufeff## Unreleased\n\n* `a`\n", "* `a`\n* `new`\n"),
        ("Unreleased\n---\n```\n* `a`\n```\n* `b`\n", "* `b`\n* `new`\n"),
    ],
)
def test_an_entry_goes_into_its_part(before: str, after: str) -> None:
    text, _ = put(before, Changelog(), "new", "* `new`")
    assert after in text


@pytest.mark.parametrize(
    "text", ["See [Foo](handlers/foo.md).\n", "- [Foo](other/foo.md)\n", "- foo.md\n"]
)
def test_what_lists_no_page_of_the_folder_is_left_alone(text: str) -> None:
    line = "- [Foo](handlers/foo.md)"
    assert put(text, MarkdownList(), "handlers/foo.md", line)[0] == f"{text}\n{line}\n"


@pytest.mark.parametrize("sign", ["*", "-", "+"])
def test_a_list_may_have_any_sign_and_indentation(sign: str) -> None:
    text = f"# A\n\n  {sign} [Bar](handlers/bar.md)\n  {sign} [Foo](handlers/foo.md)\n"
    line = f"{sign} [Cat](handlers/cat.md)"
    patched, _ = put(text, MarkdownList(), "handlers/cat.md", line)
    assert patched == text.replace(f"  {sign} [Foo]", f"  {line}\n  {sign} [Foo]")


def test_the_first_line_of_an_empty_page() -> None:
    line = "- [Foo](handlers/foo.md)"
    assert put("", MarkdownList(), "handlers/foo.md", line)[0] == f"{line}\n"
