"""Every integration is registered in every place."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from runtime.nodes.alert_handlers import TICK_HANDLERS
from runtime.pipeline.alert import HANDLERS, AlertNode
from runtime.server import config
from runtime.server.config import AlertHandlers
from runtime.services.alert.handlers import HANDLER_KINDS, HandlerServices
from runtime.settings import camel_case, key_of
from runtime.task_master import HandlerServices as TaskMasterServices

ROOT = Path(__file__).parents[2]
SERVICES = Path(config.__file__).parents[1] / "services"

KINDS = [
    "foo",
    "hipchat",
]


def tick_name(kind: str) -> str:
    """The property of alert nodes, as the handler's spec says."""
    with (SERVICES / kind / "handler.toml").open("rb") as file:
        spec = tomllib.load(file)["handler"]
    name: str = spec.get("property", camel_case(kind))
    return name


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_has_a_table_in_the_configuration(kind: str) -> None:
    assert kind in {field.name for field in dataclasses.fields(AlertHandlers)}


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_and_replays_have_the_service(kind: str) -> None:
    assert kind in {field.name for field in dataclasses.fields(TaskMasterServices)}


@pytest.mark.parametrize("kind", KINDS)
def test_handlers_of_the_kind_can_be_made_over_http(kind: str) -> None:
    assert kind in HANDLER_KINDS
    assert isinstance(getattr(HandlerServices, kind), property)


@pytest.mark.parametrize("kind", KINDS)
def test_handlers_of_the_kind_can_be_made_in_scripts(kind: str) -> None:
    assert kind in TICK_HANDLERS
    assert tick_name(kind) in HANDLERS


@pytest.mark.parametrize("kind", KINDS)
def test_the_alert_node_tells_of_the_kind(kind: str) -> None:
    assert f"* `{tick_name(kind)}`:" in (AlertNode.__doc__ or "")


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_configuration_shows_the_kind(kind: str) -> None:
    # as the server reads it: editors may have put a byte order mark there
    sample = tomllib.loads((ROOT / "etc/kapacitor.conf").read_text("utf-8-sig"))
    [field] = [each for each in dataclasses.fields(AlertHandlers) if each.name == kind]
    assert key_of(field) in sample


@pytest.mark.parametrize("kind", KINDS)
def test_the_documentation_lists_the_kind(kind: str) -> None:
    assert f"(handlers/{kind}.md)" in (ROOT / "docs/handlers.md").read_text()
    assert (ROOT / "docs/handlers" / f"{kind}.md").is_file()


def test_no_other_kind_has_a_spec() -> None:
    specs = SERVICES.glob("*/handler.toml")
    assert sorted(spec.parent.name for spec in specs) == sorted(KINDS)
