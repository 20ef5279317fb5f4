"""Templates over HTTP."""

from typing import Any

import pytest

SCRIPT = """\
// what to look at
var measurement string
// how often
var every = 10s
stream|from().measurement(measurement)|window().period(every).every(every)
"""
DBRPS = [{"db": "d", "rp": "r"}]


def task(api: Any, id: str, measurement: str = "cpu", **more: Any) -> Any:
    variables = {"measurement": {"type": "string", "value": measurement}}
    body = {"id": id, "template-id": "t", "dbrps": DBRPS, "vars": variables} | more
    return api.json("POST", "/tasks", body)


def test_a_template_shows_its_variables(api: Any) -> None:
    template = api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    assert list(template) == [
        *("link", "id", "type", "script", "vars", "dot", "error", "created"),
        "modified",
    ]
    assert template["link"]["href"] == "/kapacitor/v1/templates/t"
    assert template["type"] == "stream"
    assert template["vars"] == {
        "every": {
            "type": "duration",
            "value": 10000000000,
            "description": "how often",
        },
        "measurement": {
            "type": "string",
            "value": None,
            "description": "what to look at",
        },
    }
    assert api.json("GET", "/templates/t") == template


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "invalid task type: invalid"),
        ("{", "invalid JSON"),
        (
            {"id": "a b"},
            "template ID must contain only letters, numbers, '-', '.' and '_'. \"a b\"",
        ),
    ],
)
def test_refused(api: Any, body: object, text: str) -> None:
    assert api.ask("POST", "/templates", body) == (400, text)


def test_unknown_templates(api: Any) -> None:
    assert api.ask("GET", "/templates/t") == (404, "no template exists")
    expected = (404, "template does not exist, cannot update")
    assert api.ask("PATCH", "/templates/t", {}) == expected
    assert api.ask("DELETE", "/templates/t") == (204, "")


def test_an_id_is_taken_once(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    answer = api.ask("POST", "/templates", {"id": "t", "script": SCRIPT})
    assert answer == (400, "template t already exists")


def test_templates_are_listed(api: Any) -> None:
    for id in ("b", "a"):
        api.json("POST", "/templates", {"id": id, "script": SCRIPT})
    found = api.json("GET", "/templates?fields=type")["templates"]
    assert [each["id"] for each in found] == ["a", "b"]
    assert list(found[0]) == ["id", "link", "type"]


def test_tasks_are_made_from_a_template(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    made = task(api, "x", status="enabled")
    assert (made["template-id"], made["executing"]) == ("t", True)
    api.restart()
    assert api.json("GET", "/tasks/x")["executing"] is True


def test_a_changed_template_changes_its_tasks(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    task(api, "x", status="enabled")
    task(api, "y")
    script = SCRIPT + "|mean('v')"
    api.json("PATCH", "/templates/t", {"script": script})
    assert "mean" in api.json("GET", "/tasks/x")["script"]
    assert "mean3" in api.json("GET", "/tasks/x")["stats"]["node-stats"]
    assert "mean" in api.json("GET", "/tasks/y")["script"]


def test_a_change_that_breaks_a_task_is_taken_back(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    task(api, "a", status="enabled")
    task(api, "b", status="enabled")
    script = SCRIPT + "|alert().crit(lambda: TRUE).log('rel')"
    status, text = api.ask("PATCH", "/templates/t", {"script": script})
    assert (status, "log path must be absolute" in text) == (500, True)
    assert "rel" not in api.json("GET", "/templates/t")["script"]
    for id in ("a", "b"):
        shown = api.json("GET", f"/tasks/{id}")
        assert (shown["executing"], shown["error"]) == (True, "")
        assert "rel" not in shown["script"]


def test_a_deleted_template_leaves_its_tasks(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    task(api, "x", status="enabled")
    assert api.ask("DELETE", "/templates/t") == (204, "")
    assert api.json("GET", "/tasks/x")["executing"] is True
