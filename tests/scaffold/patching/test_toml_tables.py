"""Registrations in TOML files."""

from __future__ import annotations

import pytest

from scaffold.patching.outcomes import AlreadyRegistered, EntryUpdated, Registered
from scaffold.patching.toml_tables import TomlSections
from tests.scaffold.patching.text import put

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


@pytest.mark.parametrize("key", ["x", "xx", "a-x"])
def test_a_key_is_the_whole_name_of_a_table(key: str) -> None:
    for header in (f"[{key}]", f"[['{key}'.y]]", f"# [ {key} ]"):
        assert put(f"{header}\n", TomlSections(), key, "[x]")[0] == f"{header}\n"


def test_a_table_is_replaced_with_its_comments() -> None:
    old = "# About foo.\n#[foo]\n#  enabled = false\n"
    text, outcome = put(CONF, TomlSections(), "foo", "# New.\n[foo]", base=old)
    assert isinstance(outcome, EntryUpdated)
    assert text.endswith("  x = 1\n\n# New.\n[foo]\n")


@pytest.mark.parametrize("header", ["[bar]", "[[ bar ]]", "['bar'.x]", "[bar] # a"])
def test_a_first_header_may_follow_a_byte_order_mark(header: str) -> None:
    text = f"\ufeff{header}\nx = 1\n"
    patched, outcome = put(text, TomlSections(), "bar", "[bar]")
    assert (patched, type(outcome)) == (text, AlreadyRegistered)
