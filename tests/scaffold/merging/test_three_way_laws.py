"""The laws of merging: random edits of generated modules, by people and by tools."""

from __future__ import annotations

import ast
import functools
import random
from collections import Counter
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold.flags import Flags
from scaffold.layout.style import PLAIN, by_black
from scaffold.merging import python
from scaffold.merging.clash import ClashError
from scaffold.merging.likeness import is_alike
from scaffold.merging.three_way import merged
from scaffold.merging.versions import Merge, Versions
from scaffold.spec.parse import from_flags
from tests.scaffold.merging.hands import Hands, is_valid, words_of
from tests.scaffold.rendered import created, spec_of

PATH = PurePosixPath("service.py")
SPECS = (
    spec_of("foo"),
    spec_of("servicenow"),
    from_flags(Flags("foo")),
    from_flags(Flags("foo", fields=("room:str", "count:int=3", "who:list=a,b"))),
    from_flags(
        Flags(
            "foo",
            fields=("token:secret", "x:float=1"),
            config=("wait:duration=10s",),
            options=("wake:flag", "extra:map"),
            is_global=True,
            state_changes_only=True,
            title="Other",
        )
    ),
)


@functools.cache
def modules() -> list[dict[str, str]]:
    """The modules that are generated from each spec."""
    return [
        {path: text for path, text in created(spec).items() if path.endswith(".py")}
        for spec in SPECS
    ]


def generated(chance: random.Random) -> tuple[str, str]:
    """A module before and after a change of its spec, or of its template."""
    made = chance.choice(modules())
    path = chance.choice(sorted(made))
    others = [
        each[path] for each in modules() if each.get(path, made[path]) != made[path]
    ]
    if others and chance.random() < 0.5:
        return made[path], chance.choice(others)
    text = Hands(chance, "new").edited(made[path], chance.randint(1, 2))
    return made[path], by_black(text, PLAIN)


def names_in(text: str, word: str) -> Counter[str]:
    """The words in the code of a module, not in its comments."""
    return Counter(words_of(ast.dump(ast.parse(text)), word))


chances = st.integers(0, 2**32).map(random.Random)


@settings(max_examples=12)
@given(chances)
def test_what_both_sides_changed_is_there(chance: random.Random) -> None:
    base, new = generated(chance)
    hands = Hands(chance, "mine")
    mine = hands.edited(base, chance.randint(1, 4))
    mine = hands.laid_out(mine)
    merge = merged(PATH, Versions(base, mine, new), PLAIN)
    if merge.conflicts:
        return
    assert is_valid(merge.text)
    assert Counter(words_of(merge.text, "mine")) == Counter(words_of(mine, "mine"))
    assert names_in(merge.text, "new") == names_in(new, "new")


@settings(max_examples=12)
@given(chances)
def test_what_is_generated_as_before_changes_nothing(chance: random.Random) -> None:
    base, _ = generated(chance)
    hands = Hands(chance, "mine")
    mine = hands.laid_out(hands.edited(base, 3))
    assert merged(PATH, Versions(base, mine, base), PLAIN) == Merge(mine)
    plain = mine.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        by_tree = python.merged(Versions(base, plain, base), PLAIN, "fail")
    except ClashError:  # libcst does not read all that Python does
        return
    assert by_tree == Merge(plain)


@settings(max_examples=12)
@given(chances)
def test_without_edits_what_is_generated_now_is_there(chance: random.Random) -> None:
    base, new = generated(chance)
    hands = Hands(chance, "mine")
    assert merged(PATH, Versions(base, base, new), PLAIN) == Merge(new)
    merge = merged(PATH, Versions(base, hands.laid_out(base), new), PLAIN)
    assert not merge.conflicts
    assert names_in(merge.text, "new") == names_in(new, "new")


@settings(max_examples=12)
@given(chances)
def test_the_same_change_of_both_sides_is_none_to_merge(chance: random.Random) -> None:
    base, new = generated(chance)
    merge = merged(PATH, Versions(base, new, new), PLAIN)
    assert not merge.conflicts
    assert is_alike(PATH, merge.text, new)


def definitions(text: str) -> dict[str, str]:
    """The functions and classes with one definition, by their path, without layout."""
    found: dict[str, list[str]] = {}

    def look(body: list[ast.stmt], scope: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                look(node.body, f"{scope}{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                found.setdefault(scope + node.name, []).append(
                    ast.unparse(node).replace(" ", "")
                )

    look(ast.parse(text).body, "")
    return {name: codes[0] for name, codes in found.items() if len(codes) == 1}


@settings(max_examples=12)
@given(chances)
def test_what_a_person_left_alone_is_as_it_is_generated(chance: random.Random) -> None:
    base, new = generated(chance)
    mine = Hands(chance, "mine").edited(base, 2)
    merge = merged(PATH, Versions(base, mine, new), PLAIN)
    if merge.conflicts:
        return
    old, own, made, result = map(definitions, (base, mine, new, merge.text))
    for name, code in made.items():
        if name not in old and name not in own:
            assert result[name] == code
        if name in old and old[name] == own.get(name):
            assert result[name] == code
