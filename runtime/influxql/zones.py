"""Names of time zones, as `tz()` takes them."""

from __future__ import annotations


def is_known(name: str) -> bool:
    """True if there is a time zone `name`, or no list of them on this machine."""
    # few queries name a zone
    import zoneinfo

    if name in ("", "UTC", "Local"):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return not zoneinfo.available_timezones()
    return True
