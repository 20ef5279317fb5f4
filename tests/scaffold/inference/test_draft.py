"""Specs inferred from the curl examples of public APIs; they send the same requests."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scaffold.inference.curl import request
from scaffold.inference.draft import SpecDraft, drafted
from scaffold.inference.roles import Role, proposals
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import parse
from tests.draws import drawn
from tests.scaffold.rendered import created

APIS = {
    file.stem: file.read_text().split("\n\n", 1)
    for file in sorted((Path(__file__).parent / "apis").iterdir())
}


def expected(name: str) -> dict[str, str]:
    """The lines before an example: what must be found in it."""
    pairs = (line[2:].split(": ", 1) for line in APIS[name][0].splitlines())
    return dict(pairs)


def inferred(name: str) -> tuple[SpecDraft, HandlerSpec]:
    sent = request(APIS[name][1])
    draft = drafted(name, sent, proposals(sent))
    return draft, parse(draft.text, name)


def shown(keys: Iterator[str]) -> str:
    return ", ".join(sorted(keys))


@pytest.mark.parametrize("name", APIS)
def test_settings_options_and_levels_are_found(name: str) -> None:
    _, spec = inferred(name)
    said = expected(name)
    found = {
        "secrets": shown(each.key for each in spec.config if each.is_secret),
        "options": shown(each.key for each in spec.options),
        "levels": shown(each.key for each in spec.levels),
    }
    assert found == {
        key: shown(iter(said[key].split(", "))) if key in said else "" for key in found
    }


@pytest.mark.parametrize("name", APIS)
def test_the_message_is_found(name: str) -> None:
    sent = request(APIS[name][1])
    found = [p.value.shown for p in proposals(sent) if p.role is Role.MESSAGE]
    assert found == [expected(name)["message"]]


@pytest.mark.parametrize("name", [name for name in APIS if "hidden" in expected(name)])
def test_a_secret_of_the_example_is_written_nowhere(name: str) -> None:
    draft, _ = inferred(name)
    hidden = expected(name)["hidden"]
    assert hidden in APIS[name][1]
    for text in (draft.text, *draft.reasons, *draft.doubts):
        assert hidden not in text


@pytest.mark.parametrize("name", APIS)
def test_nothing_is_said_twice(name: str) -> None:
    draft, _ = inferred(name)
    said = [*draft.reasons, *draft.doubts]
    assert sorted(said) == sorted(set(said))


@pytest.mark.parametrize(
    ("body", "option", "reason"),
    [
        (
            '{"text": "a b", "x": "+1 (415) 555-0100"}',
            "x",
            "it looks like a phone number",
        ),
        (
            '{"text": "a b", "x": "Ann <ann@example.com>"}',
            "x",
            "it looks like an e-mail address",
        ),
        ('{"x": {"y": "ann@example.com"}}', "y", "it looks like an e-mail address"),
        ('{"from": {"name": "Ann"}}', "from-name", "'from.name' is part of the sender"),
        ('{"cc": [{"id": "7"}]}', "cc-id", "'cc.id' is part of a recipient"),
    ],
)
def test_people_and_addresses_are_options(body: str, option: str, reason: str) -> None:
    sent = request(f"curl https://h.example/api -d '{body}'")
    draft = drafted("quoll", sent, proposals(sent))
    assert [each.key for each in parse(draft.text, "quoll").options] == [option]
    assert any(each.endswith(f"({reason})") for each in draft.reasons)


@pytest.mark.parametrize("value", ["+1", "1.2.3", "a@b", "@ann", "5 + 7", "v@1.2 x"])
def test_what_is_no_address(value: str) -> None:
    sent = request(f'curl https://h.example/api -d \'{{"x": "{value}"}}\'')
    draft = drafted("quoll", sent, proposals(sent))
    assert not parse(draft.text, "quoll").options


def test_a_text_in_a_path_is_a_doubt() -> None:
    sent = request("curl https://api.day.app/your_key/Disk%20full/推送内容")
    draft = drafted("bark", sent, proposals(sent))
    found = [each for each in draft.doubts if "in the path" in each]
    assert ["Disk full" in found[0], "推送内容" in found[1]] == [True, True]


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """An importable package for generated code, gone afterwards."""
    folder = tmp_path / "curled"
    sys.path.insert(0, str(tmp_path))
    yield folder
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "curled"]:
        del sys.modules[name]


def written(spec: HandlerSpec, folder: Path) -> Mapping[str, Any]:
    """The generated tests of a handler, imported."""
    for path, text in created(spec, "curled").items():
        if path.startswith(("curled/", "tests/")) and path.endswith(".py"):
            inside = path.removeprefix("curled/").replace("tests/curled/", "tested/")
            file = folder / inside
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    kind = spec.names.kind
    module = f"curled.tested.services.{kind}.test_{kind}_service"
    return vars(importlib.import_module(module))


@pytest.mark.parametrize("name", drawn(APIS, 15))
def test_the_generated_handler_sends_the_very_request(name: str, package: Path) -> None:
    _, spec = inferred(name)
    tests = written(spec, package)
    kind = spec.names
    fake = importlib.import_module(f"curled.services.{kind.kind}.{kind.kind}test")
    with vars(fake)[f"{kind.class_name}Server"]() as server:
        tests["test_example_1_the_curl_example"](server)


@pytest.mark.parametrize(
    ("user", "auth"),
    [
        ("user:pass", '["config.username", "config.password"]'),
        ("me:password", '["config.username", "config.password"]'),
        ("9f86d081884c7d659a2feaa0c55ad015:pass", """["config.api_key", "'pass'"]"""),
        ("KEY:X", """["config.api_key", "'X'"]"""),
    ],
)
def test_a_word_for_a_password_is_one_beside_a_name(user: str, auth: str) -> None:
    sent = request(f"curl -u {user} https://x.example.io/a -d message=Hello")
    made = drafted("post", sent, proposals(sent))
    assert f"auth = {{ basic = {auth} }}\n" in made.text
