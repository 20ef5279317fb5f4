"""Benchmarks of the generator run, and count correctly."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[1] / "bench"
SERVICE = """
class Options:
    def early(self) -> None: ...


class Service(Base):
    def first(self) -> int:
        return 1

    def second(self) -> int:
        return 2
"""


@pytest.fixture(scope="module")
def upgrades() -> ModuleType:
    spec = importlib.util.spec_from_file_location("upgrades", BENCH / "upgrades.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_generator_is_measured_row_by_row() -> None:
    done = subprocess.run(
        [
            *(sys.executable, str(BENCH / "generator.py"), "--runs", "1"),
            *("--handlers", "1", "--only", "nothing changed"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    _, created, measured = done.stdout.splitlines()
    assert "1 handlers created beside 0" in created
    assert "regenerate --all of 1, nothing changed" in measured
    assert " met " in measured or " NOT " in measured


def test_a_start_with_all_services_is_measured_beside_two() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "start.py"), "--runs", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    figures = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert figures == ["two services", "all services", "ratio"], done.stderr


@pytest.mark.parametrize(
    ("way", "mark", "service", "tests", "is_lost"),
    [
        ("insert", "mine_1", "def mine_1(self)", "", False),
        ("insert", "mine_1", "", "", True),
        ("change", "mine_2", "mine_2 = 1", "", False),
        ("delete", "test_a", "", "def test_ab(): ...", False),
        ("delete", "test_a", "", "def test_a(): ...", True),
        ("move", "first", SERVICE, "", False),
        ("move", "second", SERVICE, "", True),
        ("CRLF", "", "a\r\nb\r\n", "", False),
        ("CRLF", "", "a\r\nb\n", "", True),
        ("black", "", "", "", False),
    ],
)
def test_an_edit_is_lost_if_nothing_shows_it(
    upgrades: ModuleType, way: str, mark: str, service: str, tests: str, is_lost: bool
) -> None:
    assert upgrades.Edit(way, mark).is_lost(service, tests, "") is is_lost


def test_an_edit_left_under_the_former_name_is_not_lost(upgrades: ModuleType) -> None:
    assert not upgrades.Edit("insert", "mine_1").is_lost("", "", "mine_1 = 1")


@pytest.mark.parametrize(
    ("mine", "new", "is_in_both"),
    [
        (SERVICE.replace("return 1", "return 3"), SERVICE, False),
        (SERVICE, SERVICE.replace("return 1", "return 3"), False),
        (
            SERVICE.replace("return 1", "return 3"),
            SERVICE.replace("return 2", "return 4"),
            False,
        ),
        (
            SERVICE.replace("return 1", "return 3"),
            SERVICE.replace("return 1", "return 4"),
            True,
        ),
        (
            SERVICE.replace("return 1", "return (3)"),
            SERVICE.replace("return 1", "return 3"),
            False,
        ),
    ],
    ids=["mine", "new", "two members", "one member", "alike"],
)
def test_a_member_is_in_both_if_both_sides_changed_it(
    upgrades: ModuleType, mine: str, new: str, is_in_both: bool
) -> None:
    texts = [upgrades._members("m", text) for text in (SERVICE, mine, new)]
    assert upgrades._is_in_both(*texts) is is_in_both


@pytest.mark.parametrize("base", ["", "||||||| base\nold\n"], ids=["two", "three"])
def test_a_conflict_is_settled_with_the_side_of_the_person(
    upgrades: ModuleType, tmp_path: Path, base: str
) -> None:
    file = tmp_path / "a.py"
    file.write_text(f"a\n<{'<' * 6} mine\nb\n{base}{'=' * 7}\nc\n{'>' * 7} new\nd\n")
    assert upgrades._settled(file)
    assert file.read_text() == "a\nb\nd\n"
    assert not upgrades._settled(file)


def test_points_out_and_rows_of_queries_are_measured() -> None:
    done = subprocess.run(
        [
            *(sys.executable, str(BENCH / "influxdb.py"), "--rounds", "1"),
            *("--points", "5000", "--rows", "10000"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    _, *out, _, query, stream, ratio = done.stdout.splitlines()
    assert [row.split()[0] for row in out] == ["5,000", "50", "1"]
    assert all(" met" in row for row in (*out, ratio))
    assert [row.split()[0] for row in (query, stream)] == ["query", "stream"]
