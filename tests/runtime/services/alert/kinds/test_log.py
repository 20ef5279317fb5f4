import asyncio
import json
import math
import os
import stat

import pytest

from runtime.alert.types import Event, EventData, EventState, Row
from runtime.errors import DeliveryError, OptionsError
from runtime.services.alert.kinds.log import LogHandler, LogHandlerConfig
from runtime.services.options import FileMode


def event(value=1.0):
    row = Row("m", {}, ("time", "v"), [[0, value]])
    return Event("t", EventState("e"), EventData(result=[row]))


def test_appends_a_line_for_each_event(make, tmp_path):
    path = tmp_path / "alerts.log"
    handler = make("log", {"path": str(path), "mode": 0o640})
    asyncio.run(handler.handle(event()))
    asyncio.run(handler.handle(event()))
    lines = path.read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["e", "e"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"path": "rel"}, "log path must be absolute: rel is not absolute"),
        (
            {"path": "/x", "mode": 0o400},
            "invalid file mode -r--------, must be user writable",
        ),
        (
            {"mode": "0644"},
            "failed to decode options into *alert.LogHandlerConfig: 1 error(s) "
            "decoding:\n\n* 'mode' expected type 'fs.FileMode', got unconvertible "
            "type 'string', value: '0644'",
        ),
    ],
)
def test_wrong_options_are_refused(make, options, text):
    with pytest.raises(OptionsError) as caught:
        make("log", options)
    assert str(caught.value) == text


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_lacks_are_written_as_null(tmp_path, value):
    path = tmp_path / "x"
    handler = LogHandler(LogHandlerConfig(str(path), FileMode(0o600)))
    asyncio.run(handler.handle(event(value)))
    [series] = json.loads(path.read_text())["data"]["series"]
    assert series["values"] == [["1970-01-01T00:00:00Z", None]]


def test_a_file_that_cannot_be_written_may_be_later(tmp_path):
    handler = LogHandler(LogHandlerConfig(str(tmp_path / "no" / "x")))
    with pytest.raises(DeliveryError) as caught:
        asyncio.run(handler.handle(event()))
    assert caught.value.retry


def test_a_pipe_that_nobody_reads_holds_nothing_up(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    handler = LogHandler(LogHandlerConfig(str(tmp_path / "pipe")))
    with pytest.raises(DeliveryError) as caught:
        asyncio.run(asyncio.wait_for(handler.handle(event()), 30))
    assert caught.value.retry
