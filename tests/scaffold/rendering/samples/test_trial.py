"""The generated modules, run for samples: their access, and their results."""

from __future__ import annotations

import pytest

from scaffold.flags import Flags
from scaffold.rendering.render import importable
from scaffold.rendering.samples.trial import Trial
from scaffold.spec.parse import from_flags

SPEC = from_flags(Flags("quoll"))
KNOWN = importable(SPEC, "runtime")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import os", ImportError),
        ("from subprocess import run", ImportError),
        ("import runtime.server.server", ImportError),
        ("open('/etc/passwd')", NameError),
        ("eval('1')", NameError),
        ("__import__('os')", ImportError),
    ],
)
def test_nothing_but_what_templates_name_is_reached(
    text: str, error: type[Exception]
) -> None:
    texts = {"a.config": "", "a.handler": "", "a.service": text}
    with pytest.raises(error):
        Trial(SPEC, texts, KNOWN)
