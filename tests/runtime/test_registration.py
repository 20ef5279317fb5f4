"""Each integration is registered everywhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from runtime import integrations
from runtime.integrations.bundled import INTEGRATIONS
from runtime.settings import camel_case

ROOT = Path(__file__).parents[2]
SERVICES = Path(integrations.__file__).parents[1] / "services"

KINDS = [
    "foo",
    "googlechat",
    "gotify",
    "hipchat",
    "kafka",
    "matrix",
    "ntfy",
    "opsgenie",
    "opsgenie2",
    "pagerduty",
    "pagerduty2",
    "servicenow",
    "slack",
    "smtp",
    "snmptrap",
    "talk",
    "teams",
    "telegram",
    "webhook",
    "zulip",
]


def property_name(kind: str) -> str:
    """The property of alert nodes, as the handler's spec says."""
    with (SERVICES / kind / "handler.toml").open("rb") as file:
        spec = tomllib.load(file)["handler"]
    name: str = spec.get("property", camel_case(kind))
    return name


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_has_a_section_and_its_service(kind: str) -> None:
    assert kind in INTEGRATIONS.sections
    assert INTEGRATIONS.services[kind].kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_handlers_of_the_kind_can_be_made_over_http(kind: str) -> None:
    service = INTEGRATIONS.services[kind](INTEGRATIONS.tables()[kind], None)
    assert type(service.default_handler_config()) is INTEGRATIONS.kinds[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_handlers_of_the_kind_can_be_made_in_scripts(kind: str) -> None:
    made = INTEGRATIONS.properties[property_name(kind)]
    assert INTEGRATIONS.node_handlers[kind] is made


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_configuration_shows_the_kind(kind: str) -> None:
    # as the server reads it: editors may have put a byte order mark there
    sample = tomllib.loads((ROOT / "etc/kapacitor.conf").read_text("utf-8-sig"))
    assert kind in sample


@pytest.mark.parametrize("kind", KINDS)
def test_the_documentation_lists_the_kind(kind: str) -> None:
    assert f"(handlers/{kind}.md)" in (ROOT / "docs/handlers.md").read_text()
    assert (ROOT / "docs/handlers" / f"{kind}.md").is_file()


def test_no_other_kind_has_a_spec() -> None:
    specs = SERVICES.glob("*/handler.toml")
    assert sorted(spec.parent.name for spec in specs) == sorted(KINDS)
