"""A spec with settings and options of several types, whose request is still missing."""

from __future__ import annotations

import pytest

from scaffold.errors import SpecError
from scaffold.spec.parse import parse

HEAD = """\
[handler]
name = "quoll"
[config]
url = {}
user = {}
password = { type = "secret" }
teams = { type = "list" }
n = { type = "int" }
[option]
to = { type = "list" }
sign = {}
[[request]]
url = "${config.url}"
"""


def spec_of(request, head=HEAD):
    """The spec that sends `request`."""
    return parse(head + request, "quoll.toml")


def refused(request, head=HEAD):
    """Place and problem of each fault of the spec that sends `request`."""
    return faults(head + request)


def faults(text):
    """Place and problem of each fault of a spec."""
    with pytest.raises(SpecError) as caught:
        parse(text, "quoll.toml")
    return [(fault.where, fault.problem) for fault in caught.value.faults]
