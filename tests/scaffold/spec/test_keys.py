"""docs/specs.md, whose tables are made of the keys; --snapshot-update rewrites them."""

import re
from pathlib import Path

import pytest

from scaffold.expressions.functions import FUNCTIONS
from scaffold.spec import keys
from scaffold.spec.cases import EVENT_FEEDS
from scaffold.spec.parse import parse
from scaffold.spec.scopes import EVENT, EVENT_ROW
from tests.scaffold.spec.small import HEAD, TAIL

PATH = Path(__file__).parents[3] / "docs/specs.md"
TABLES = {
    "### `[handler]`": keys.HANDLER,
    "#### `wrap`": keys.WRAP,
    "### `[instances]`": keys.INSTANCES,
    "### `[config]`": keys.CONFIG,
    "### `[option]`": keys.OPTION,
    "### `[level.NAME]`": keys.LEVEL,
    "### `[[check]]`": keys.CHECK,
    "### `[[request]]`": keys.REQUEST,
    "#### `auth`": keys.AUTH,
    "### `[connection]`": keys.CONNECTION,
    "### `[response]`": keys.RESPONSE,
    "### `[hook]`": keys.HOOK,
    "### `[test]`": keys.TEST,
    "### `[[example]]`": keys.EXAMPLE,
    "#### `event`": keys.EXAMPLE_EVENT,
    "#### `want`": keys.EXAMPLE_WANT,
}


def row(key):
    meaning = key.meaning
    if key.choices:
        listed = ", ".join(f"`{each}`" for each in key.choices)
        meaning = f"{meaning} One of {listed}."
    return (
        f"| `{key.name}` | {meaning} | {'required' if key.required else key.default} |"
    )


def key_table(known):
    return ["| key | meaning | default |", "|---|---|---|", *map(row, known)]


def function_table():
    rows = [f"| `{each.signature}` | {each.meaning} |" for each in FUNCTIONS.values()]
    return ["| function | value |", "|---|---|", *rows]


def rewritten(text):
    """Return the text with the first table after each of the headings rewritten."""
    made = {heading: key_table(known) for heading, known in TABLES.items()}
    made["### Functions"] = function_table()
    lines = iter(text.splitlines())
    written, waiting = [], None
    for line in lines:
        waiting = made.pop(line) if line in made else waiting
        if waiting and line.startswith("|"):
            written += waiting
            waiting = None
            line = next((each for each in lines if not each.startswith("|")), "")
        written.append(line)
    assert made == {}, "headings without a table"
    return "\n".join(written).rstrip("\n") + "\n"


def test_the_tables_are_those_of_the_keys(request):
    text = PATH.read_text()
    if request.config.getoption("update_snapshots"):
        PATH.write_text(rewritten(text))
        text = PATH.read_text()
    assert text == rewritten(text), "run pytest --snapshot-update on this file"


def test_the_example_is_a_good_spec():
    example, *parts = re.findall(r"```toml\n(.*?)```", PATH.read_text(), re.DOTALL)
    assert parse(example).names.kind == "chatter"
    assert len(parts) == 3
    for part in parts:
        assert parse(HEAD + part + ("" if "[[request]]" in part else TAIL))


@pytest.mark.parametrize("name", [*EVENT, *(f"row.{each}" for each in EVENT_ROW)])
def test_every_name_of_an_event_is_listed(name):
    [line] = re.findall(r"^\| requests, checks, lets \|.*$", PATH.read_text(), re.M)
    assert re.search(rf"[` ]{re.escape(name)}[` ]", line.partition("`event`")[2])


@pytest.mark.parametrize("feed", EVENT_FEEDS)
def test_every_feed_is_listed(feed):
    [line] = re.findall(r"^Events: .*$", PATH.read_text(), re.M)
    assert f"`{feed}`" in line
