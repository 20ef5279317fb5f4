"""A spec of a few lines, in two parts that others go between."""

from __future__ import annotations

import pytest

from scaffold.errors import SpecError
from scaffold.spec.parse import parse

HEAD = '[handler]\nname = "foo"\n[config]\nurl = {}\nroom = {}\n'
TAIL = '[[request]]\nurl = "${config.url}"\n[request.json]\ntext = "${event.message}"\n'


def faults(text, path="foo.toml"):
    """The lines that a spec is refused with."""
    with pytest.raises(SpecError) as caught:
        parse(text, path)
    return str(caught.value).splitlines()
