import os

import pytest

from runtime.errors import ConfigError
from runtime.server.pid_file import pid_file


def test_the_file_is_there_while_the_server_is(tmp_path):
    path = tmp_path / "run" / "pid"
    with pid_file(path):
        assert path.read_text() == str(os.getpid())
    assert not path.exists()


def test_what_another_server_wrote_stays(tmp_path):
    path = tmp_path / "pid"
    with pid_file(path):
        path.write_text("1")
    assert path.read_text() == "1"


def test_a_file_that_somebody_removed_is_no_failure(tmp_path):
    path = tmp_path / "pid"
    with pid_file(path):
        path.unlink()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with (
        pytest.raises(ConfigError, match=r"write pid file .*: Is a directory"),
        pid_file(tmp_path),
    ):
        pass
