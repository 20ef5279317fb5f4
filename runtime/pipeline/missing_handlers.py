"""Alert handlers of Kapacitor, which this server may lack."""

from __future__ import annotations

# by their sections; looked up only if this server has no such handler
SECTIONS = frozenset(
    (
        *("alerta", "bigpanda", "discord", "hipchat", "httppost", "kafka", "mqtt"),
        *("opsgenie", "opsgenie2", "pagerduty", "pagerduty2", "pushover", "sensu"),
        *("servicenow", "slack", "smtp", "snmptrap", "talk", "teams", "telegram"),
        *("victorops", "zenoss"),
    )
)
# handlers that send no HTTP requests, so that a spec cannot describe them
OTHER_PROTOCOLS = frozenset(("kafka", "mqtt", "sensu", "smtp", "snmptrap"))
# properties of scripts whose names differ from their sections
_SECTION_OF = {"email": "smtp"}


def section_of(name: str) -> str:
    """The section of a property such as `pagerDuty2` or `email`."""
    kind = name.lower()
    return _SECTION_OF.get(kind, kind)


def advice(section: str) -> str:
    """Advice about a missing handler, to be appended to an error message.

    It is empty if Kapacitor does not have the handler either.
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
