"""Alert handlers of Kapacitor, which this server may lack."""

from __future__ import annotations

# by their sections. Where one exists here, its field in `AlertHandlers` comes first.
SECTIONS = frozenset(
    (
        *("alerta", "bigpanda", "discord", "hipchat", "httppost", "kafka", "mqtt"),
        *("opsgenie", "opsgenie2", "pagerduty", "pagerduty2", "pushover", "sensu"),
        *("servicenow", "slack", "smtp", "snmptrap", "talk", "teams", "telegram"),
        *("victorops", "zenoss"),
    )
)
# those among them that do not send HTTP requests, which a spec describes
OTHER_PROTOCOLS = frozenset(("kafka", "mqtt", "sensu", "smtp", "snmptrap"))
# a property of scripts that is not named like its section
_SECTION_OF = {"email": "smtp"}


def section_of(name: str) -> str:
    """The section of a property such as `pagerDuty2` or `email`."""
    kind = name.lower()
    return _SECTION_OF.get(kind, kind)


def advice(section: str) -> str:
    """Advice that ends an error message: the way to the handler of a section.

    It is empty where Kapacitor has no such handler.
    """
    if section not in SECTIONS:
        return ""
    if section in OTHER_PROTOCOLS:
        return (
            f"; this server has no {section} handler. It does not speak HTTP and cannot "
            "be generated"
        )
    return (
        f"; this server has no {section} handler. Generate it from a spec with "
        f"`scaffold new-handler --spec {section}.toml`, and run kapacitord in the "
        "project that has it"
    )
