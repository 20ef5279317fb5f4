import math

from runtime.alert.serialize import event_line
from runtime.alert.types import Event, EventData, EventState, Level, Row


def test_an_event_is_one_line_of_json_in_kapacitors_order():
    time = 1_500_000_000_123_456_789
    row = Row("cpu", {"host": "a"}, ("time", "idle", "n"), [[time, 5.0, 3]])
    state = EventState(
        "cpu:host=a", "cpu:host=a is CRITICAL", "", time, 0, Level.CRITICAL
    )
    event = Event("t", state, EventData(result=[row]))
    assert event_line(event).decode() == (
        '{"id":"cpu:host=a","message":"cpu:host=a is CRITICAL","details":"",'
        '"time":"2017-07-14T02:40:00.123456789Z","duration":0,"level":"CRITICAL",'
        '"data":{"series":[{"name":"cpu","tags":{"host":"a"},'
        '"columns":["time","idle","n"],'
        '"values":[["2017-07-14T02:40:00.123456789Z",5,3]]}]},'
        '"previousLevel":"OK","recoverable":true}\n'
    )


def test_without_data_there_is_no_series():
    assert b'"data":{"series":null}' in event_line(Event("t", EventState("a")))


def test_what_json_does_not_know_is_null():
    row = Row("m", {}, ("time", "v", "w"), [[0, math.inf, math.nan]])
    line = event_line(Event("t", EventState("a"), EventData(result=[row])))
    assert b'"values":[["1970-01-01T00:00:00Z",null,null]]' in line
