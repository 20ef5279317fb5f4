"""Documents merged by sections and lines."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.merging.documents import merged
from scaffold.merging.versions import Take, Versions

PAGE = """\
# Foo

Posts messages.

## Configuration

| key | meaning |
|---|---|
| `url` | the URL |

## Options

Text.
"""


def of_page(mine: str, new: str, take: Take = "fail") -> tuple[str, tuple[str, ...]]:
    """The merge of two versions of the page."""
    return tuple(merged(PurePosixPath("a.md"), Versions(PAGE, mine, new), take))  # type: ignore[return-value]


@pytest.mark.parametrize("changed", ["mine", "new"])
def test_a_section_that_one_side_changed_is_taken_from_it(changed: str) -> None:
    sides = {"mine": "Tips", "new": "Tests"}
    for side, title in sides.items():
        sides[side] = PAGE.replace("## Options", f"## {title}\n\nx\n\n## Options")
    sides[changed] = sides[changed].replace("Text.", "Another text.")
    text, conflicts = of_page(**sides)
    assert not conflicts
    for line in ("## Tips", "## Tests", "Another text.", "Posts messages."):
        assert text.count(f"{line}\n") == 1
    assert "\nText." not in text


def test_sections_of_both_sides_are_kept() -> None:
    mine = PAGE.replace("## Options", "## Tips\n\nOurs.\n\n## Options")
    new = PAGE.replace("## Options", "## Tests\n\nNew.\n\n## Options")
    text, conflicts = of_page(mine, new)
    assert not conflicts
    assert text.index("## Tips") < text.index("## Tests") < text.index("## Options")


def test_rows_of_both_sides_are_kept_in_a_table_that_was_padded() -> None:
    row = "| `url` | the URL |\n"
    mine = PAGE.replace("|---|---|", "| --- | --- |").replace(
        row, row + "| `a` | b |\n"
    )
    new = PAGE.replace(row, row + "| `room` | the room |\n").replace("Text.", "Other.")
    text, conflicts = of_page(mine, new)
    assert not conflicts
    assert (
        "| --- | --- |\n| `url` | the URL |\n| `a` | b |\n| `room` | the room |\n"
        in text
    )
    assert "Other." in text


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        ("mine", ["Mine."]),
        ("generated", ["New."]),
        ("both", ["Mine.", "New."]),
        (
            "markers",
            [
                *("<<<<<<< mine", "Mine.", "||||||| generated before", "Text."),
                *("=======", "New.", ">>>>>>> generated now"),
            ],
        ),
    ],
)
def test_a_line_that_both_changed_is_a_conflict(
    take: Take, expected: list[str]
) -> None:
    mine, new = PAGE.replace("Text.", "Mine."), PAGE.replace("Text.", "New.")
    text, conflicts = of_page(mine, new, take)
    assert conflicts == ("the section `## Options`",)
    assert text == PAGE.replace("Text.", "\n".join(expected))


def test_a_section_that_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    start = PAGE.index("## Options")
    _, conflicts = of_page(PAGE[:start], PAGE.replace("Text.", "New."))
    assert conflicts == ("the section `## Options`",)
    text, conflicts = of_page(PAGE[:start], PAGE)
    assert (text, conflicts) == (
        PAGE[:start].rstrip("\n") + "\n",
        (),
    ) or "Options" not in text


def test_a_heading_in_code_begins_no_section() -> None:
    base = "# A\n\n```\n# no heading\n```\n\ntext\n"
    mine = base.replace("text", "mine")
    new = base.replace("# no heading", "# still none")
    text, conflicts = merged(PurePosixPath("a.md"), Versions(base, mine, new), "fail")
    assert not conflicts
    assert text == "# A\n\n```\n# still none\n```\n\nmine\n"


@pytest.mark.parametrize("name", ["a.toml", "a.conf"])
def test_keys_and_tables_of_both_sides_are_kept(name: str) -> None:
    base = "[a]\n  x = 1\n\n[b]\n  y = 2\n"
    mine = "[a]\n  x = 5\n  own = 1\n\n[b]\n  y = 2\n\n[own]\n  z = 3\n"
    new = '[a]\n  x = 1\n  room = ""\n\n[b]\n  y = 3\n'
    text, conflicts = merged(PurePosixPath(name), Versions(base, mine, new), "fail")
    assert not conflicts
    for line in ("x = 5", "own = 1", 'room = ""', "y = 3", "[own]", "z = 3"):
        assert line in text


def merged_page(base: str, mine: str, new: str, name: str = "a.md") -> tuple[str, ...]:
    merge = merged(PurePosixPath(name), Versions(base, mine, new), "mine")
    return (merge.text, *merge.conflicts)


def test_sections_of_one_title_are_told_apart() -> None:
    base = "".join(f"# A\n\ntext {number}\n\n" for number in (1, 2, 3))
    mine = base.replace("text 1", "mine").replace("text 3", "own")
    new = base.replace("text 2", "new").replace("text 3", "made")
    assert merged_page(base, mine, new) == (
        mine.replace("text 2", "new"),
        "the section `# A`",
    )
    # one of them goes
    without = base.replace("# A\n\ntext 2\n\n", "")
    text, *conflicts = merged_page(base, base, without)
    assert not conflicts
    assert text.split() == without.split()


def test_lines_above_the_first_section_have_a_name() -> None:
    texts = [f"{word}\n\n# A\n" for word in ("text", "mine", "new")]
    assert merged_page(*texts) == (texts[1], "its first lines")


def test_only_pages_have_fences() -> None:
    base = 'a = """\n```\n"""\n\n[b]\nx = 1\n'
    mine, new = base.replace("1", "2"), base.replace("1", "3")
    assert merged_page(base, mine, new, "a.toml") == (mine, "the section `[b]`")
