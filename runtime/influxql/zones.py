"""Names of time zones, as `tz()` takes them."""

from __future__ import annotations


def is_known(name: str) -> bool:
    """True if the time zone `name` exists, or this machine has no list of time zones."""
    # imported here, as few queries have a time zone
    import zoneinfo

    if name in ("", "UTC", "Local"):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return not zoneinfo.available_timezones()
    return True
