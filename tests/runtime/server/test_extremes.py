"""The limits of 64-bit values, and lone surrogates, do no harm."""

import pytest

from runtime.units import LATEST

ALERT = "|alert().id('{{ .Group }}').message('{{ .Fields }}').crit(lambda: TRUE)"


@pytest.mark.parametrize(
    "nodes",
    [
        "|shift(1h)",
        ".round(1h)",
        "|window().period(1h).every(1h).align()|count('v')",
        "|eval(lambda: strSubstring(\"s\", 0, 1)).as('s').tags('s')|groupBy('s')",
    ],
)
def test_the_server_goes_on(api, nodes):
    script = f"stream|from().measurement('m'){nodes}{ALERT}.topic('x')"
    task = {
        "id": "t",
        "type": "stream",
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": script,
        "status": "enabled",
    }
    log = {"id": "h", "kind": "log", "options": {"path": "/dev/null"}}
    api.json("POST", "/tasks", task)
    api.json("POST", "/alerts/topics/x/handlers", log)
    for time in (1, LATEST - 1, LATEST, 2):
        answer = api.answer("POST", "/write?db=d&rp=r", f'm v=1i,s="éé" {time}')
        assert (answer.status, answer.body) == (204, b"")
    assert api.json("GET", "/tasks/t")["executing"]
    assert api.json("GET", "/alerts/topics/x")["level"] == "CRITICAL"
