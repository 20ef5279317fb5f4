"""Classes as text, imported when they are needed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.errors import ConfigError
from runtime.references import References, loaded


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python imports packages from; they are forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_is_imported_for_the_class_that_is_read(package: Path) -> None:
    for name in ("lazy_one", "lazy_two"):
        (package / f"{name}.py").write_text("class Service: pass\n")
    both = {"one": "lazy_one:Service", "two": "lazy_two:Service", "three": Path}
    classes: References[type] = References("service", both)
    assert list(classes) == ["one", "two", "three"]
    assert dict(classes.loaded()) == {"three": Path}
    assert classes["one"].__module__ == "lazy_one"
    assert "lazy_two" not in sys.modules
    assert list(loaded(classes)) == ["one", "three"]
    assert classes.entries == both


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "foo",
        "foo.service",
        "foo:",
        ":Foo",
        "a b:Foo",
        "foo:Foo()",
        "foo:A.B",
        "1:A",
    ],
)
def test_a_reference_of_another_form_is_refused_at_once(wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        References("service", {"huddle": wrong})
    assert f"service 'huddle': invalid reference {wrong!r}: write MODULE:CLASS" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("text", "reference", "problem"),
    [
        (
            "",
            "lazy_bad:Servise",
            "lazy_bad has no class Servise. Correct the reference",
        ),
        ("Service = 3", "lazy_bad:Service", "has no class Service"),
        ("", "lazy_bda:Service", "No module named 'lazy_bda'. Repair or uninstall it"),
        ("import nowhere_x", "lazy_bad:Service", "No module named 'nowhere_x'"),
        (
            "1 / 0",
            "lazy_bad:Service",
            "failed with ZeroDivisionError: division by zero",
        ),
        ("def f(:", "lazy_bad:Service", "failed with SyntaxError"),
        (
            "from runtime.units import FORTNIGHT",
            "lazy_bad:Service",
            "made for another version of the runtime: run `scaffold regenerate --all`",
        ),
    ],
)
def test_a_class_that_cannot_be_loaded_is_named(
    package: Path, text: str, reference: str, problem: str
) -> None:
    (package / "lazy_bad.py").write_text(text)
    classes: References[type] = References("service", {"huddle": reference})
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            classes["huddle"]
        assert f"cannot load the service 'huddle' ({reference}): " in str(caught.value)
        assert problem in str(caught.value)
    assert dict(classes.loaded()) == {}
