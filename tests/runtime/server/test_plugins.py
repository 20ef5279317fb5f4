"""Handlers of installed packages, and of the project in the current folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.errors import ConfigError
from runtime.integration import Integrations
from runtime.integrations.bundled import INTEGRATIONS
from runtime.server import plugins
from runtime.server.plugins import Plugin, found, merged
from runtime.services.foo.config import Config

MODULE = """\
from runtime.integration import Integrations
from runtime.services.foo.config import Config

INTEGRATIONS = Integrations(sections={NAME: Config}, kinds={NAME: Config})
"""


@pytest.fixture(autouse=True)
def modules_as_they_were() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("alerts_", "plugin_")):
            del sys.modules[name]


def package(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").touch()
    (folder / name / "integrations.py").write_text(text)


def project(folder: Path, name: str, text: str | None = None) -> Path:
    """A project whose package brings a handler called like it."""
    package(folder, name, text or MODULE.replace("NAME", repr(name)))
    (folder / "pyproject.toml").write_text(f'[tool.scaffold]\npackage = "{name}"\n')
    return folder


def installed(folder: Path, name: str, text: str | None = None) -> None:
    """A package with an entry point, in a folder that Python looks into."""
    package(folder, name, text or MODULE.replace("NAME", repr(name)))
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n"
    )
    entry = f"[{plugins.GROUP}]\n{name} = {name}.integrations:INTEGRATIONS\n"
    (info / "entry_points.txt").write_text(entry)
    sys.path.insert(0, str(folder))


def test_the_project_is_found_from_any_folder_of_it(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "alerts_one")
    inner = root / "examples" / "x"
    inner.mkdir(parents=True)
    handlers = found(INTEGRATIONS, str(inner))
    assert handlers.integrations.sections["alerts_one"] is Config
    assert list(handlers.integrations.sections)[:-1] == list(INTEGRATIONS.sections)
    [plugin] = handlers.plugins
    assert (str(plugin), plugin.handlers) == (f"alerts_one ({root})", "alerts_one")


def test_installed_packages_are_found_everywhere(tmp_path: Path) -> None:
    installed(tmp_path / "site", "plugin_a")
    installed(tmp_path / "other", "plugin_b")
    handlers = found(INTEGRATIONS, "")
    assert [str(each) for each in handlers.plugins] == [
        "plugin_a (1.2)",
        "plugin_b (1.2)",
    ]
    assert {"plugin_a", "plugin_b"} <= set(handlers.integrations.kinds)


def test_a_project_that_is_installed_too_counts_once(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "alerts_two")
    installed(tmp_path / "site", "alerts_two")
    sys.path.remove(str(tmp_path / "site"))
    sys.path.append(str(tmp_path / "site"))
    assert [each.origin for each in found(INTEGRATIONS, str(root)).plugins] == [
        str(root)
    ]


def test_the_checkout_of_the_server_is_no_plugin() -> None:
    assert found(INTEGRATIONS, str(Path(__file__).parent)).plugins == []


def test_another_checkout_of_the_server_is_left_alone(tmp_path: Path) -> None:
    """People who install the server from a checkout often start it there."""
    (tmp_path / "runtime" / "server").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.scaffold]\nskip = []\n")
    handlers = found(INTEGRATIONS, str(tmp_path))
    assert handlers.plugins == []
    assert handlers.integrations.kinds == INTEGRATIONS.kinds
    [warning] = handlers.warnings
    assert f"the checkout of this server in {tmp_path} is not used" in warning
    assert str(Path(plugins.__file__).parents[1]) in warning


def test_without_a_folder_no_project_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project(tmp_path / "p", "alerts_three"))
    assert found(INTEGRATIONS).plugins == []


@pytest.mark.parametrize("what", [".", "pyproject.toml", "alerts_four"])
def test_what_others_can_change_is_not_loaded(tmp_path: Path, what: str) -> None:
    root = project(tmp_path / "p", "alerts_four", "raise SystemError('was loaded')\n")
    (root / what).chmod(0o777)
    handlers = found(INTEGRATIONS, str(root))
    assert handlers.plugins == []
    [warning] = handlers.warnings
    assert f"{root} is not loaded" in warning
    assert "can be changed by other users" in warning


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_at_all\n", "No module named 'nowhere_at_all'. Repair or"),
        ("from runtime.units import FORTNIGHT\n", "run `scaffold regenerate --all`"),
        ("import runtime.http_client\n", "run `scaffold regenerate --all`"),
        ("def f(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("INTEGRATIONS = {}\n", "must be an Integrations value"),
        ("pass\n", "must be an Integrations value"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named(
    tmp_path: Path, text: str, said: str
) -> None:
    root = project(tmp_path / "p", "alerts_five", text)
    with pytest.raises(ConfigError, match=f"alerts_five in {root}") as caught:
        found(INTEGRATIONS, str(root))
    assert said in str(caught.value)


def test_a_copy_of_the_runtime_is_told_how_to_move(tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "task_master.py").touch()
    (tmp_path / "pyproject.toml").write_text('[tool.scaffold]\npackage = "runtime"\n')
    with pytest.raises(ConfigError, match="contains a copy of the runtime") as caught:
        found(INTEGRATIONS, str(tmp_path))
    assert "scaffold new-handler --spec" in str(caught.value)


FOO = """\
from runtime.integration import Integrations
from runtime.services.foo.config import Config
from runtime.services.foo.handler import HandlerConfig
from runtime.services.foo.property import FooHandler
from runtime.services.foo.service import Service

class Mine(FooHandler):
    pass

INTEGRATIONS = Integrations(
    sections={"foo": Config},
    services={"foo": Service},
    kinds={"foo": HandlerConfig},
    properties={"foo": Mine},
    node_handlers={"foo": Mine},
)
"""


def test_a_handler_of_the_project_replaces_that_of_the_server(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "alerts_seven", FOO)
    handlers = found(INTEGRATIONS, str(root))
    mine = sys.modules["alerts_seven.integrations"].Mine
    assert handlers.integrations.node_handlers["foo"] is mine
    assert handlers.integrations.properties["foo"] is mine
    assert set(handlers.integrations.kinds) == set(INTEGRATIONS.kinds)
    [warning] = handlers.warnings
    assert "its handler 'foo' replaces that of the server" in warning


@pytest.mark.parametrize(
    ("table", "name", "said"),
    [
        ("sections", "foo", "configuration section 'foo'"),
        ("kinds", "log", "handler kind 'log'"),
        ("kinds", "Foo", "handler kind 'Foo'"),
        ("properties", "hipchat", "property 'hipchat'"),
        ("properties", "topic", "would hide that of alert nodes"),
    ],
)
def test_two_handlers_of_one_name_are_refused(table: str, name: str, said: str) -> None:
    mine = Integrations(**{table: {name: Config}})
    with pytest.raises(ConfigError) as caught:
        merged([Plugin("kapacitord", "bundled", INTEGRATIONS), Plugin("p", "1", mine)])
    assert "p (1)" in str(caught.value)
    assert said in str(caught.value)
