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
    assert status == 500
    assert text.startswith("error reloading associated task a: ")
    assert "log path must be absolute" in text
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


NEEDS = "var limit int\n"


def test_a_missing_variable_is_reported_as_the_reload_that_fails(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    task(api, "a", status="enabled")
    task(api, "off")
    answer = api.ask("PATCH", "/templates/t", {"script": NEEDS + SCRIPT})
    assert answer == (
        500,
        'error reloading associated task a: missing value for var "limit".',
    )
    assert "limit" not in api.json("GET", "/tasks/off")["script"]
    api.json("PATCH", "/tasks/a", {"status": "disabled"})
    # tasks that are off may get their variables later
    api.json("PATCH", "/templates/t", {"script": NEEDS + SCRIPT})
    assert "limit" in api.json("GET", "/tasks/off")["script"]
    status, text = api.ask("PATCH", "/tasks/off", {"status": "enabled"})
    assert (status, 'missing value for var "limit"' in text) == (400, True)
    assert api.json("PATCH", "/tasks/off", {"status": "disabled"})["vars"]
    variables = {
        "limit": {"type": "int", "value": 5},
        "measurement": {"type": "string", "value": "cpu"},
    }
    made = api.json("PATCH", "/tasks/off", {"status": "enabled", "vars": variables})
    assert made["executing"]


@pytest.mark.parametrize(
    "body",
    [
        {"script": "stream|from().measurement('mem')"},
        {"script": "stream|from().measurement('mem')", "type": "batch"},
        {"script": "nonsense("},
        {"script": "batch|query('x')", "dbrps": [{"db": "e", "rp": "r"}]},
        {"template-id": "t", "script": "stream|from().measurement('mem')"},
        {"type": "batch"},
    ],
)
def test_the_script_of_a_template_cannot_be_patched_away(api: Any, body: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    before = task(api, "x", status="enabled")
    after = api.json("PATCH", "/tasks/x", body)
    for key in ("script", "type", "template-id", "executing", "vars"):
        assert after[key] == before[key]
    assert after["dbrps"] == body.get("dbrps", DBRPS)
    api.restart()
    assert api.json("GET", "/tasks/x")["script"] == before["script"]


def test_another_template_takes_a_task_over(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    api.json("POST", "/templates", {"id": "u", "script": SCRIPT + "|count('v')"})
    task(api, "x", status="enabled")
    made = api.json("PATCH", "/tasks/x", {"template-id": "u", "script": "stream"})
    assert (made["template-id"], "count" in made["script"]) == ("u", True)


def test_a_task_outlives_its_template(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    before = task(api, "x", status="enabled")
    api.ask("DELETE", "/templates/t")
    script = {"script": "stream|from()"}
    refused = (400, "unknown template t: err: no template exists")
    assert api.ask("PATCH", "/tasks/x", script) == refused
    assert api.ask("PATCH", "/tasks/x", {"template-id": "t"}) == refused
    assert not api.json("PATCH", "/tasks/x", {"status": "disabled"})["executing"]
    after = api.json("PATCH", "/tasks/x", {"dbrps": [{"db": "e", "rp": "r"}]})
    assert after["script"] == before["script"]


READS = 'dbrp "d"."r"\n'


@pytest.mark.parametrize("status", ["enabled", "disabled"])
def test_a_template_cannot_take_away_what_its_tasks_read(api: Any, status: str) -> None:
    api.json("POST", "/templates", {"id": "t", "script": READS + SCRIPT})
    for id in ("a", "b"):
        assert task(api, id, dbrps=None, status=status)["dbrps"] == DBRPS
    script = SCRIPT + "|log()"
    assert api.ask("PATCH", "/templates/t", {"script": script}) == (
        500,
        "error reloading associated task a: task does contain any dbrps",
    )
    assert "log" not in api.json("GET", "/templates/t")["script"]
    for id in ("a", "b"):
        shown = api.json("GET", f"/tasks/{id}")
        assert shown["executing"] is (status == "enabled")
        assert ("log" in shown["script"], shown["dbrps"]) == (False, DBRPS)


def test_a_template_may_begin_to_say_what_its_tasks_read(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    task(api, "a", status="enabled")
    api.json("PATCH", "/templates/t", {"script": 'dbrp "e"."f"\n' + SCRIPT})
    assert api.json("GET", "/tasks/a")["dbrps"] == [{"db": "e", "rp": "f"}]
    api.json("PATCH", "/templates/t", {"script": 'dbrp "g"."h"\n' + SCRIPT})
    assert api.json("GET", "/tasks/a")["dbrps"] == [{"db": "g", "rp": "h"}]


def test_an_id_that_is_taken_cannot_be_taken_over(api: Any) -> None:
    for id in ("t", "u"):
        api.json("POST", "/templates", {"id": id, "script": SCRIPT})
    task(api, "x")
    task(api, "y")
    exists = "object already exists"
    assert api.ask("PATCH", "/tasks/x", {"id": "y"}) == (
        500,
        f"failed to create new task during ID change: {exists}",
    )
    assert api.ask("PATCH", "/templates/u", {"id": "t"}) == (
        500,
        f"failed to create new template for ID change: {exists}",
    )


def test_variables_are_listed_only_on_demand(api: Any) -> None:
    api.json("POST", "/templates", {"id": "t", "script": SCRIPT})
    [found] = api.json("GET", "/templates")["templates"]
    assert sorted(found) == sorted(
        ("link", "id", "type", "script", "dot", "error", "created", "modified")
    )
    [found] = api.json("GET", "/templates?fields=vars")["templates"]
    assert sorted(found) == ["id", "link", "vars"]
