"""A spec of a few lines, in two parts, to insert others between."""

from __future__ import annotations

import pytest

from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.spec.parse import from_flags, parse

HEAD = '[handler]\nname = "foo"\n[config]\nurl = {}\nroom = {}\n'
TAIL = '[[request]]\nurl = "${config.url}"\n[request.json]\ntext = "${event.message}"\n'


def faults(text, path="foo.toml"):
    """The lines that a spec is refused with."""
    with pytest.raises(SpecError) as caught:
        parse(text, path)
    return str(caught.value).splitlines()


def flag_faults(name="foo", **flags):
    """The lines that flags are refused with."""
    with pytest.raises(SpecError) as caught:
        from_flags(Flags(name, **flags))
    return str(caught.value).splitlines()
