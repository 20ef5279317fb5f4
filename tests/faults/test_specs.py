"""Specs that are wrong, odd or huge: each ends in time, in little memory, with no traceback."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LONG = os.environ.get("FAULTS") == "long"
MUTANTS = 3_000 if LONG else 150
SECONDS = 30.0
MEMORY_BYTES = 1 << 30
SPECS = Path(__file__).parents[1] / "scaffold" / "specs"

RUN = """
import sys, time, traceback
from pathlib import Path
from scaffold.errors import SpecError
from scaffold.rendering.render import render
from scaffold.spec.parse import parse
from scaffold.wanted import wanted
for name in sys.argv[1:]:
    started = time.perf_counter()
    text = Path(name).read_text("utf-8", "surrogateescape")
    try:
        made = wanted(parse(text, name), "runtime", render)
        for path, content in made.files.items():
            if path.suffix == ".py":
                compile(content, str(path), "exec")
        outcome = "taken"
    except SpecError as error:
        outcome = "refused"
        assert str(error) and len(error.faults) < 5_000
    except Exception:
        outcome = "broken"
        sys.stderr.write(text)
        traceback.print_exc()
    print(name, outcome, time.perf_counter() - started, flush=True)
"""


def ended(files: list[Path]) -> dict[str, tuple[str, float]]:
    """Outcome of each spec, in a process of its own with little memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=60 + SECONDS * len(files),
        preexec_fn=limit,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-5000:]
    lines = [line.rsplit(" ", 2) for line in done.stdout.splitlines()]
    return {Path(name).name: (outcome, float(took)) for name, outcome, took in lines}


HEAD = '[handler]\nname = "quoll"\n[config]\nurl = {}\n'
SEND = '[[request]]\nurl = "${config.url}"\n'


def keys(count: int) -> Iterator[str]:
    return (f"k{n}" for n in range(count))


HUGE: dict[str, Callable[[], str]] = {
    "many settings": lambda: HEAD
    + "".join(f"{key} = {{}}\n" for key in keys(3_000))
    + SEND
    + 'text = "x"\n',
    "many options": lambda: HEAD
    + "[option]\n"
    + "".join(f"{key} = {{}}\n" for key in keys(3_000))
    + SEND
    + 'text = "x"\n',
    "many lets": lambda: HEAD
    + "[let]\nk0 = 'x'\n"
    + "".join(f"k{n} = '${{k{n - 1}}}'\n" for n in range(1, 2_000))
    + SEND
    + 'text = "${k1999}"\n',
    "many checks": lambda: HEAD
    + "".join(
        f"[[check]]\nthat = \"config.url != 'k{n}'\"\nerror = 'e'\n" for n in range(900)
    )
    + SEND
    + 'text = "x"\n',
    "checks that contradict": lambda: HEAD
    + "".join(f"{key} = {{ type = 'int' }}\n" for key in keys(12))
    + "".join(
        f"[[check]]\nthat = 'config.k{n} + config.k{n + 1} == {n * 97}'\nerror = 'e'\n"
        for n in range(11)
    )
    + SEND
    + 'text = "x"\n',
    "many requests": lambda: HEAD
    + "".join(
        f"[[request]]\nwhen = \"event.id == 'k{n}'\"\nurl = '${{config.url}}'\ntext = 'x'\n"
        for n in range(500)
    )
    + SEND
    + 'text = "x"\n',
    "many examples": lambda: HEAD + SEND + 'text = "x"\n' + "[[example]]\n" * 3_000,
    "a wide body": lambda: HEAD
    + SEND
    + "[request.json]\n"
    + "".join(f'{key} = "${{event.id}}"\n' for key in keys(500)),
    "deep tables": lambda: HEAD
    + SEND
    + "json = "
    + "{ a = " * 500
    + "1"
    + " }" * 500
    + "\n",
    "deep lists": lambda: HEAD + SEND + "json = " + "[" * 20_000 + "]" * 20_000 + "\n",
    "deep dots": lambda: HEAD + SEND + "json." + "a." * 5_000 + "b = 1\n",
    "a deep expression": lambda: HEAD
    + SEND
    + f'text = "${{ {"(" * 900}event.id{")" * 900} }}"\n',
    "many braces": lambda: HEAD + SEND + f'text = "${{ {"}" * 1_900} }}"\n',
    "many unfinished": lambda: HEAD + SEND + f'text = "{"${" * 15_000}"\n',
    "many expressions": lambda: HEAD + SEND + f'text = "{"${event.id}" * 5_000}"\n',
    "a regular expression that explodes": lambda: HEAD
    + "[[check]]\nthat = \"matches('"
    + "a" * 60
    + "!', '(a+)+$') or True\"\nerror = 'e'\n"
    + SEND
    + 'text = "x"\n',
    "a regular expression that is huge": lambda: HEAD
    + "[[check]]\nthat = \"matches(config.url, '((a{900}){900}){900}')\"\nerror = 'e'\n"
    + SEND
    + 'text = "x"\n',
    "a regular expression that repeats": lambda: HEAD
    + "[[check]]\nthat = \"matches(config.url, '(((a{9}){9}){9}b?){1,9}')\"\nerror = 'e'\n"
    + SEND
    + 'text = "x"\n',
    "loops in loops": lambda: HEAD
    + "[let]\na = ['x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x']\n"
    + SEND
    + "json = "
    + "".join(f'[{{ "@for" = \'i{n} in a\', "@value" = ' for n in range(8))
    + "1"
    + " }]" * 8
    + "\n",
    "a long name": lambda: HEAD.replace("quoll", "q" * 50_000) + SEND,
    "a long number": lambda: HEAD + SEND + f"json = {'9' * 50_000}\n",
    "a long line": lambda: HEAD + SEND + f'text = "{"x" * 60_000}"\n',
    "a long comment": lambda: HEAD + SEND + f'text = "x" # {"x" * 60_000}\n',
    "too long": lambda: HEAD + SEND + "#" * 200_000,
}


def test_huge_specs_end_in_time_and_memory(tmp_path: Path) -> None:
    files = []
    for number, (name, make) in enumerate(HUGE.items()):
        file = tmp_path / f"{number}-{name.replace(' ', '-')}.toml"
        file.write_text(make())
        files.append(file)
    found = ended(files)
    assert len(found) == len(HUGE)
    slow = {name: took for name, (_, took) in found.items() if took > SECONDS}
    assert slow == {}
    taken = {
        name.partition("-")[2] for name, (how, _) in found.items() if how == "taken"
    }
    assert taken == {
        f"{name}.toml"
        for name in (
            "checks-that-contradict",
            "a-wide-body",
            "a-regular-expression-that-explodes",
            "a-long-line",
            "a-long-comment",
        )
    }


def mutant(text: str, others: list[str], chance: random.Random) -> str:
    """A spec with pieces dropped, doubled, exchanged and put in from others."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, chance.choice(chance.choice(others).split("\n")))
            case 2:
                lines[at] = lines[at] * 2
            case 3:
                cut = chance.randrange(len(lines[at]) + 1)
                piece = chance.choice(PIECES)
                lines[at] = lines[at][:cut] + piece + lines[at][cut:]
            case 4:
                key, equals, _ = lines[at].partition("=")
                lines[at] = f"{key}{equals} {chance.choice(VALUES)}" if equals else key
            case 5:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 6:
                words = lines[at].split(" ")
                chance.shuffle(words)
                lines[at] = " ".join(words)
        if not lines:
            lines = [""]
    return "\n".join(lines)


PIECES = (
    "${", "}", "${event.fields.x}", "'", '"', "[", "]", "{", "}", "?", "...", " and ", " < ", "\\", "\x1b",
    "\u202e", "é", "${event.level}", "${config.url}", "event.", "not ", " in ", "0", "-", "@for", "\r",
)  # fmt: skip
VALUES = (
    "1", "-1", "1.5", "inf", "nan", "true", "[]", "{}", '""', "'''x'''", '"${event.fields.x > 1}"',
    '"${event.tags}"', '["${event.level}", 1]', "{ a = '${event.data}' }", "1979-05-27", "'\\n'",
    '"config.url"', '"event.level"', '"reply.x"', "9223372036854775808", '"str"', '"records"',
    '{ "@for" = "x in event.fields", a = "${x}" }', '{ "..." = "event.fields.x" }', "'(a+)+$'",
)  # fmt: skip


def test_mutants_of_specs_are_taken_or_refused(tmp_path: Path) -> None:
    texts = [file.read_text() for file in sorted(SPECS.rglob("*.toml"))]
    seed = int(time.time()) if LONG else 7
    chance = random.Random(seed)
    files = []
    for number in range(MUTANTS):
        file = tmp_path / f"{seed}-{number}.toml"
        file.write_text(mutant(chance.choice(texts), texts, chance), "utf-8")
        files.append(file)
    for first in range(0, len(files), 500):
        found = ended(files[first : first + 500])
        slow = {name: took for name, (_, took) in found.items() if took > SECONDS}
        assert slow == {}
        assert {outcome for outcome, _ in found.values()} == {"taken", "refused"}
