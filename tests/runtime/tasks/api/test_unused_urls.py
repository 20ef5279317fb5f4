"""URLs with passwords in texts and variables that no handler uses."""

from typing import Any

SCRIPT = """\
var unused = 'https://user:pa55word@hooks.example/x'
var list = ['a', 'https://user:pa55word@hooks.example/y']
var room = 'r'

// mailto:user@example.com is no URL with a password
stream
    |from()
        .measurement('cpu')
    |alert()
        .message('https://user:pa55word@grafana.example/d/{{ .ID }}?orgId=1')
        .details('see https://grafana.example/d/x?orgId=1, or ask a@example.com')
"""
WITH = {"type": "string", "value": "https://user:pa55word@hooks.example/z"}


def test_passwords_in_urls_are_not_shown(api: Any) -> None:
    for kind in ("templates", "tasks"):
        body = {"id": "t", "type": "stream", "script": SCRIPT}
        if kind == "tasks":
            body |= {"dbrps": [{"db": "d", "rp": "r"}], "vars": {"unused": WITH}}
        made = api.json("POST", f"/{kind}", body)
        for answer in (
            made,
            api.json("GET", f"/{kind}/t"),
            api.json("GET", f"/{kind}"),
        ):
            assert "pa55word" not in str(answer)
            assert "https://***@hooks.example/" in str(answer)
            assert "https://grafana.example/d/x?orgId=1, or ask" in str(answer)
        # its placeholder may be sent back
        shown = api.json("GET", f"/{kind}/t?script-format=raw")
        api.json("PATCH", f"/{kind}/t", {"script": shown["script"]})
        assert (
            api.json("GET", f"/{kind}/t?script-format=raw")["script"] == shown["script"]
        )
