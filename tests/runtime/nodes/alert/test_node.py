import dataclasses

import pytest

from runtime.alert.types import Level
from runtime.errors import TaskError
from runtime.integration import Integrations
from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.server.logs import LogfmtFormatter
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.tasks.task import ExecutingTask
from runtime.testing.alerts import RecordingTopics, services, summaries, task
from runtime.testing.frames import Collector, points
from runtime.tick.parser import parse

S = "stream|from().measurement('m')"
GROUPED = "stream|from().measurement('m').groupBy('h')"
A = S + "|alert().crit(lambda: \"v\" > 5).topic('t')"


def lines(values, start=1, field="v", tags=""):
    each = values.split() if isinstance(values, str) else values
    return points(
        "\n".join(
            f"m{tags} {field}={value} {time}" for time, value in enumerate(each, start)
        )
    )


class Run:
    """A task that ran: its events, what its alert node passed on, the node itself."""

    def __init__(self, script, data, topics=None, available=None, id="TASK"):
        self.topics = topics or RecordingTopics()
        self.task = task(script, self.topics, available, id)
        self.node = next(n for n in self.task.nodes if n.name.startswith("alert"))
        self.passed = Collector()
        self.node.link(self.passed)
        self.feed(data)

    def feed(self, data):
        self.task.points(lines(data) if isinstance(data, str) else data)

    @property
    def events(self):
        return self.topics.events

    @property
    def told(self):
        return summaries(self.events)

    @property
    def passed_times(self):
        return [point.time // 1_000_000_000 for point in self.passed.points]


def levels(script, data):
    return [str(event.state.level)[0] for event in Run(script, data).events]


class TestLevels:
    def test_the_example_of_the_docs(self):
        run = Run(
            S + """|alert()
            .info(lambda: "v" > 60).infoReset(lambda: "v" < 50)
            .warn(lambda: "v" > 70).warnReset(lambda: "v" < 60)
            .crit(lambda: "v" > 80).critReset(lambda: "v" < 70).topic('t')""",
            "61 73 64 85 62 56 47",
        )
        assert run.told == [
            "INFO@1 OK 0s",
            "WARNING@2 INFO 1s",
            "WARNING@3 WARNING 2s",
            "CRITICAL@4 WARNING 3s",
            "INFO@5 CRITICAL 4s",
            "INFO@6 INFO 5s",
            "OK@7 INFO 6s",
        ]

    def test_leaving_a_level_needs_its_own_reset_only(self):
        script = S + """|alert()
            .warn(lambda: "v" > 10).warnReset(lambda: "v" < 5)
            .crit(lambda: "v" > 20).critReset(lambda: "v" < 15).topic('t')"""
        assert levels(script, "12 22 16 14 12 8 4") == list("WCCWWWO")

    def test_a_reset_that_forbids_keeps_the_level(self):
        script = S + """|alert().warn(lambda: "v" > 70).crit(lambda: "v" > 80)
            .critReset(lambda: "v" < 60).topic('t')"""
        assert levels(script, "85 75 65 59 85 50") == list("CCCOCO")

    def test_a_failing_reset_permits(self, caplog):
        script = S + """|alert().crit(lambda: "v" > 80.0)
            .critReset(lambda: "nope" < 60.0).topic('t')"""
        run = Run(script, "85 75")
        assert [event.state.level for event in run.events] == [
            Level.CRITICAL,
            Level.OK,
        ]
        assert "error evaluating reset expression for current level" in caplog.text

    def test_a_failing_level_counts_as_false(self, caplog):
        script = S + '|alert().warn(lambda: "v" > 5).crit(lambda: "nope").topic(\'t\')'
        run = Run(script, "9")
        assert run.told == ["WARNING@1 OK 0s"]
        assert "error evaluating expression for level level=CRITICAL" in caplog.text
        assert run.node.stats()["errors"] == 1

    def test_a_reset_without_its_level_is_ignored(self):
        script = S + """|alert().crit(lambda: "v" > 5).warnReset(lambda: FALSE)
            .topic('t')"""
        assert levels(script, "9 1") == list("CO")

    def test_groups_share_the_state_of_a_function(self):
        run = Run(
            GROUPED + "|alert().crit(lambda: count() > 2).topic('t')",
            [
                *lines("0", 1, tags=",h=a"),
                *lines("0", 2, tags=",h=b"),
                *lines("0", 3, tags=",h=a"),
                *lines("0", 4, tags=",h=b"),
            ],
        )
        assert [
            (e.data.group, t) for e, t in zip(run.events, run.told, strict=True)
        ] == [
            ("h=a", "CRITICAL@3 OK 0s"),
            ("h=b", "CRITICAL@4 OK 0s"),
        ]

    def test_without_levels_nothing_happens(self):
        run = Run(S + "|alert().topic('t')", "9 9")
        assert (run.events, run.passed.points) == ([], [])


class TestEvents:
    def test_each_bad_point_is_an_event_and_one_recovery(self):
        run = Run(A, "1 9 9 1 1")
        assert run.told == [
            "CRITICAL@2 OK 0s",
            "CRITICAL@3 CRITICAL 1s",
            "OK@4 CRITICAL 2s",
        ]
        assert run.passed_times == [2, 3, 4]

    def test_no_recoveries(self):
        run = Run(A + ".noRecoveries()", "1 9 9 1 1 9 1")
        assert run.told == [
            "CRITICAL@2 OK 0s",
            "CRITICAL@3 CRITICAL 1s",
            "CRITICAL@6 CRITICAL 0s",
        ]
        assert not any(event.data.recoverable for event in run.events)
        assert run.passed_times == [2, 3, 6]

    def test_state_changes_only_with_an_interval(self):
        script = S + """|alert().warn(lambda: "v" > 70).crit(lambda: "v" > 80)
            .stateChangesOnly(3s).topic('t')"""
        assert Run(script, "50 71 72 73 74 75 76 77 50").told == [
            "WARNING@2 OK 0s",
            "WARNING@5 WARNING 3s",
            "WARNING@8 WARNING 6s",
            "OK@9 WARNING 7s",
        ]

    def test_state_changes_only_without_one(self):
        run = Run(A + ".stateChangesOnly()", "9 9 9 1 1")
        assert run.told == ["CRITICAL@1 OK 0s", "OK@4 CRITICAL 3s"]
        assert run.passed_times == [1, 4]

    def test_an_escalation_does_not_restart_the_duration(self):
        script = S + """|alert().warn(lambda: "v" > 70).crit(lambda: "v" > 80)
            .stateChangesOnly().topic('t')"""
        assert Run(script, "75 85 50").told == [
            "WARNING@1 OK 0s",
            "CRITICAL@2 WARNING 1s",
            "OK@3 CRITICAL 2s",
        ]

    def test_points_out_of_order_give_negative_durations(self):
        run = Run(A, [*lines("9", 5), *lines("9", 3)])
        assert run.told == ["CRITICAL@5 OK 0s", "CRITICAL@3 CRITICAL -2s"]

    def test_an_event_tells_where_it_comes_from(self):
        run = Run(
            GROUPED + """|alert().crit(lambda: "v" > 5).category('c').topic('t')""",
            lines("9", 7, tags=",h=a,x=y"),
        )
        [event] = run.events
        assert dataclasses.replace(event.data, result=()) == dataclasses.replace(
            event.data,
            name="m",
            task_name="TASK",
            category="c",
            group="h=a",
            tags={"h": "a", "x": "y"},
            fields={"v": 9.0},
            recoverable=True,
            result=(),
        )
        [row] = event.data.result
        assert (row.name, dict(row.tags)) == ("m", {"h": "a", "x": "y"})
        assert (row.columns, row.values) == (("time", "v"), [[7_000_000_000, 9.0]])

    def test_added_tags_and_fields(self):
        run = Run(
            A + """.levelTag('lt').levelField('lf').idTag('it').idField('if')
            .messageField('mf').durationField('df')""",
            "9 9",
        )
        second = run.passed.points[1]
        assert second.tags == {"lt": "CRITICAL", "it": "m:nil"}
        assert second.fields == {
            "v": 9.0,
            "lf": "CRITICAL",
            "if": "m:nil",
            "mf": "m:nil is CRITICAL",
            "df": 1_000_000_000,
        }

    def test_counters(self):
        script = S + """|alert().info(lambda: "v" > 1).crit(lambda: "v" > 5)"""
        stats = Run(script, "9 2 2 0").node.stats()
        assert {name: stats[name] for name in stats if name.endswith("ed")} == {
            "alerts_inhibited": 0,
            "alerts_triggered": 4,
            "oks_triggered": 1,
            "infos_triggered": 2,
            "warns_triggered": 0,
            "crits_triggered": 1,
            "collected": 4,
            "emitted": 4,
        }


class TestFlapping:
    def test_a_short_history(self):
        run = Run(A + ".flapping(0.25,0.5).history(5)", "9 1 9 1 9 1")
        assert [event.state.time // 10**9 for event in run.events] == [1, 2]
        assert run.passed_times == [1, 2]

    def test_the_default_history(self):
        values = [9, 1] * 15 + [1] * 20 + [9] * 5
        run = Run(A + ".flapping(0.25,0.5)", lines(values))
        times = [event.state.time // 10**9 for event in run.events]
        assert times == [*range(1, 11), *range(51, 56)]

    def test_a_first_trigger_held_back_gives_no_duration(self):
        script = A + ".flapping(0.1,0.2).history(5)"
        run = Run(script, "1 1 1 9 9 9 9 9")
        assert run.told[0].endswith(" 0s")

    def test_thresholds_are_shares(self):
        with pytest.raises(
            TaskError, match="alert flap thresholds are percentages and should be"
        ):
            task(A + ".flapping(0.25,1.5)")


class TestTemplates:
    def texts(self, properties, data="9"):
        [event] = Run(A + properties, data).events
        return event.state

    def test_the_defaults(self):
        state = self.texts("")
        assert state.id == "m:nil"
        assert state.message == "m:nil is CRITICAL"
        assert state.details.startswith(
            "{&#34;Name&#34;:&#34;m&#34;,&#34;TaskName&#34;:&#34;TASK&#34;,"
            "&#34;Group&#34;:&#34;nil&#34;,&#34;Tags&#34;:{},&#34;ServerInfo&#34;"
        )
        assert state.details.endswith(
            "&#34;ID&#34;:&#34;m:nil&#34;,&#34;Fields&#34;:{&#34;v&#34;:9},"
            "&#34;Level&#34;:&#34;CRITICAL&#34;,&#34;Time&#34;:"
            "&#34;1970-01-01T00:00:01Z&#34;,&#34;Duration&#34;:0,"
            "&#34;Message&#34;:&#34;m:nil is CRITICAL&#34;}\n"
        )

    def test_what_is_missing_shows_as_in_go(self):
        message = (
            """.message('{{ index .Fields "v" }}|{{ .Fields.nope }}|"""
            """{{ index .Tags "nope" }}')"""
        )
        assert self.texts(message, "1234567.5").message == "1.2345675e+06|<no value>|"

    def test_ids_may_depend_on_tags(self):
        script = A + """.id('{{ .TaskName }}/{{ index .Tags "h" }}')"""
        [event] = Run(script, lines("9", tags=",h=a")).events
        assert event.state.id == "TASK/a"

    @pytest.mark.parametrize(
        ("properties", "text"),
        [
            (
                ".message('{{ json . }}')",
                'template: message:1: function "json" not defined',
            ),
            (".message('{{ } }}')", 'template: message:1: unexpected "}"'),
        ],
    )
    def test_a_template_that_does_not_parse_stops_the_start(self, properties, text):
        with pytest.raises(TaskError) as caught:
            task(A + properties)
        assert str(caught.value).startswith(text)

    def test_a_template_that_fails_is_replaced(self):
        run = Run(A + ".message('{{ .Nope }}')", "1 9 9")
        assert run.task.error == ""
        assert [event.state.message for event in run.events] == [
            'm:nil is CRITICAL (template: message:1:3: executing "message" at <.Nope>: '
            "can't evaluate field Nope in type kapacitor.messageInfo)"
        ] * 2


class TestTopics:
    ANON = "main:TASK:alert2"

    def test_a_node_with_handlers_has_a_topic_of_its_own(self):
        run = Run(A + ".hipChat()", "9")
        assert [event.topic for event in run.events] == [self.ANON, "t"]
        assert list(run.topics.handlers) == [self.ANON]
        run.task.close()
        assert run.topics.handlers == {}

    def test_an_error_of_one_topic_leaves_the_other(self, caplog):
        topics = RecordingTopics()
        topics.full = True
        run = Run(A + ".hipChat()", "9", topics)
        assert len(run.events) == 2
        line = LogfmtFormatter().format(caplog.records[0])
        assert line.endswith(
            ' lvl=error msg="encountered error collecting event" service=kapacitor '
            'task_master=main task=TASK node=alert2 err="failed to deliver event"'
        )
        assert run.node.stats()["errors"] == 2

    def test_after_a_restart_the_alert_goes_on(self):
        script = A.replace(".topic('t')", "") + ".hipChat().stateChangesOnly()"
        first = Run(script, [*lines("9", 1), *lines("9", 11)])
        assert first.told == ["CRITICAL@1 OK 0s"]
        first.task.close()
        first.events.clear()
        again = Run(
            script, [*lines("9", 100), *lines("9", 110), *lines("1", 120)], first.topics
        )
        assert again.told == ["OK@120 CRITICAL 119s"]

    def test_a_new_group_goes_on_from_its_topic(self):
        script = GROUPED + "|alert().id('X').crit(lambda: \"v\" > 5).hipChat()"
        run = Run(
            script,
            [
                *lines("9", 1, tags=",h=a"),
                *lines("1", 2, tags=",h=b"),
                *lines("9", 3, tags=",h=b"),
                *lines("1", 4, tags=",h=a"),
            ],
        )
        assert [
            (e.data.group, t) for e, t in zip(run.events, run.told, strict=True)
        ] == [
            ("h=a", "CRITICAL@1 OK 0s"),
            ("h=b", "OK@2 CRITICAL 1s"),
            ("h=b", "CRITICAL@3 OK 0s"),
            ("h=a", "OK@4 CRITICAL 3s"),
        ]

    def test_the_nodes_own_topic_overrides_the_named_one(self):
        first = Run(A + ".hipChat()", "9")
        first.task.close()
        state = dataclasses.replace(
            first.topics.event_state("t", "m:nil"), level=Level.INFO
        )
        first.topics.update_event("t", state)
        Run(A + ".hipChat()", lines("9", 2), first.topics)
        assert first.events[-1].previous_level is Level.CRITICAL

    def test_the_named_topic_seeds_the_nodes_own(self):
        first = Run(A, "9")
        again = Run(A + ".hipChat().stateChangesOnly()", lines("9 1", 2), first.topics)
        assert again.told[1:] == ["OK@3 CRITICAL 2s", "OK@3 CRITICAL 2s"]

    def test_a_group_that_was_forgotten_goes_on_from_its_topic(self):
        run = Run(A + ".stateChangesOnly()", "9")
        run.node.forget("")
        run.feed(lines("9 1", 2))
        assert run.told == ["CRITICAL@1 OK 0s", "OK@3 CRITICAL 2s"]


class TestInhibition:
    def test_an_alert_keeps_others_quiet_while_it_is_not_ok(self):
        topics = RecordingTopics()
        inhibiting = Run(
            GROUPED + "|alert().crit(lambda: \"v\" > 5).inhibit('c', 'h').topic('a')",
            lines("9", 1, tags=",h=x"),
            topics,
        )
        quiet = Run(
            GROUPED + "|alert().crit(lambda: \"v\" > 5).category('c').topic('b')",
            [*lines("9", 1, tags=",h=x"), *lines("9", 1, tags=",h=y")],
            topics,
        )
        assert [e.data.group for e in topics.events if e.topic == "b"] == ["h=y"]
        assert len(quiet.passed.points) == 2
        assert quiet.node.stats()["alerts_inhibited"] == 1
        inhibiting.feed(lines("1", 2, tags=",h=x"))
        quiet.feed(lines("9", 3, tags=",h=x"))
        assert summaries(topics.events)[-1] == "CRITICAL@3 OK 2s"

    def test_it_ends_with_its_task(self):
        topics = RecordingTopics()
        run = Run(
            S + "|alert().crit(lambda: \"v\" > 5).inhibit('c').topic('a')", "9", topics
        )
        run.task.close()
        Run(A + ".category('c')", "9", topics)
        assert [event.topic for event in topics.events] == ["a", "t"]


class TestHandlers:
    def handlers(self, properties, **configs):
        run = Run(
            S + "|alert().crit(lambda: TRUE)" + properties,
            "",
            available=services(**configs),
        )
        found = run.topics.handlers.get("main:TASK:alert2", {})
        return {name: handler.options for name, handler in found.items()}

    def test_what_the_script_says_goes_over_the_defaults(self):
        found = self.handlers(".foo().foo().room('x').hipChat().room('y').token('t')")
        assert list(found) == ["hipchat", "foo", "foo-2"]
        assert [options.room for options in found.values()] == ["y", "", "x"]
        assert found["hipchat"].token.reveal() == "t"

    def test_a_global_service_has_a_handler_on_each_node(self):
        config = HipChatConfig(global_=True)
        assert list(self.handlers("", hipchat=config)) == ["hipchat"]
        assert list(self.handlers(".hipChat()", hipchat=config)) == ["hipchat"]

    def test_global_and_state_changes_only_rule_the_node(self):
        script = S + "|alert().crit(lambda: \"v\" > 5).hipChat().room('X')"
        config = HipChatConfig(global_=True, state_changes_only=True)
        run = Run(script, "9 9 1", available=services(hipchat=config))
        assert run.told == ["CRITICAL@1 OK 0s", "OK@3 CRITICAL 2s"]
        config = HipChatConfig(global_=False, state_changes_only=True)
        run = Run(script, "9 9 1", available=services(hipchat=config))
        assert len(run.told) == 3

    def test_kinds_that_do_not_exist_are_refused(self):
        others = dict(INTEGRATIONS.node_handlers)
        del others["tcp"]
        integrations = Integrations(node_handlers=others)
        with pytest.raises(TaskError, match="no service for handler tcp"):
            task(A + ".tcp('h:1')", available=integrations.started({}, None))

    @pytest.mark.parametrize(
        ("property_", "text"),
        [
            (".log('rel')", "log path must be absolute: rel is not absolute"),
            (
                ".log('/x').mode(0400)",
                "invalid file mode -r--------, must be user writable",
            ),
        ],
    )
    def test_a_wrong_log_handler_stops_the_start(self, property_, text):
        with pytest.raises(TaskError) as caught:
            task(S + "|alert().crit(lambda: TRUE)" + property_)
        assert str(caught.value) == f"failed to create log alert handler: {text}"

    def test_handlers_without_services_are_refused(self):
        script = evaluate(
            parse(A + ".hipChat()"), "stream", handlers=INTEGRATIONS.handler_properties
        )
        with pytest.raises(TaskError, match="no service for handler hipChat"):
            ExecutingTask("TASK", script, Environment("TASK", topics=RecordingTopics()))


class TestBatches:
    WINDOW = GROUPED + '|window().period(5s).every(5s)|alert().crit(lambda: "v" > 5)'
    DATA = "1 9 8 1 1 9 9 9 9 9 1 1 1 1 1 0"

    def run(self, properties, data=DATA):
        script = self.WINDOW + ".topic('t')" + properties
        return Run(script, lines(data, 0, tags=",h=a"))

    def test_a_batch_is_as_bad_as_its_worst_point(self):
        run = self.run("")
        assert run.told == [
            "CRITICAL@1 OK 0s",
            "CRITICAL@5 CRITICAL 4s",
            "OK@15 CRITICAL 14s",
        ]
        assert [dict(event.data.tags) for event in run.events] == [{"h": "a"}] * 3
        assert run.events[0].data.fields == {"v": 9.0}

    def test_all_points_have_to_be_bad(self):
        assert self.run(".all()").told == ["CRITICAL@10 OK 0s", "OK@15 CRITICAL 5s"]

    def test_recoveries_are_told_while_flapping(self):
        data = "9 1 1 1 1 1 1 1 1 1 9 1 1 1 1 1 1 1 1 1 0"
        run = self.run(".flapping(0.1,0.2).history(5)", data)
        assert [str(event.state.level) for event in run.events] == ["OK", "OK"]

    def test_the_first_point_decides_about_the_columns(self):
        script = self.WINDOW + ".topic('t')"
        run = Run(
            script,
            points(
                "m,h=a,x=1 u=9 1\nm,h=a,y=2 v=9,w=3 2\nm,h=a u=1 7",
            ),
        )
        [row] = run.events[0].data.result
        assert list(row.columns) == ["time", "u", "x"]
        assert [list(value) for value in row.values] == [
            [1_000_000_000, 9.0, "1"],
            [2_000_000_000, None, None],
        ]

    def test_added_tags_join_the_group(self):
        run = self.run(".levelTag('lt').levelField('lf')")
        batch = run.passed.got[0]
        assert (batch.group, dict(batch.tags)) == (
            "h=a,lt=CRITICAL",
            {"h": "a", "lt": "CRITICAL"},
        )
        assert all(point.fields["lf"] == "CRITICAL" for point in batch.points)
        assert all(point.group == batch.group for point in batch.points)
