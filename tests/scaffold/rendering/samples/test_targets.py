"""Settings that are replaced by the address of a fake server."""

from __future__ import annotations

import pytest

from scaffold.rendering.samples.targets import url_keys
from scaffold.spec.parse import parse

SPEC = """
[handler]
name = "quoll"
[config]
url       = { type = "url", default = "https://api.example.com/v1" }
other-url = { type = "url", default = "https://api.example.com/v2" }
token     = {}
[option]
url = { default = "config.url" }
[let]
chosen = "${config.other_url if event.level == 'OK' else opt.url}"
[[request]]
url  = "${URL}"
json = { token = "${config.token}", unused = "${chosen}${opt.url}${config.other_url}" }
"""


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("config.url", {"url"}),
        ("opt.url", {"url"}),
        (
            "config.other_url if event.level == 'OK' else config.url",
            {"url", "other-url"},
        ),
        ("config.other_url or config.url", {"url", "other-url"}),
        ("pick(config.other_url, opt.url)", {"url", "other-url"}),
        ("chosen", {"url", "other-url"}),
        ("config.url}/${config.token", {"url"}),
        (
            "(config.url if config.token else config.other_url) + '/x'",
            {"url", "other-url"},
        ),
    ],
)
def test_no_branch_leads_to_a_real_server(url: str, keys: set[str]) -> None:
    assert url_keys(parse(SPEC.replace("URL}", f"{url}}}"))) == keys
