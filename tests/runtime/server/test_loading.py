"""Modules that each command loads: printing the version does not load a server."""

import subprocess
import sys

import pytest

_COMMAND = """
import contextlib, io, os, sys
from runtime.server.__main__ import run_command
from runtime.server.process_environment import ProcessEnvironment
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    code = run_command(sys.argv[1:], ProcessEnvironment({}, "/nowhere", "/nowhere"))
assert code == 0, code
print(*sys.modules)
"""
# modules of the interpreter cost little, except these
_SLOW = {"asyncio", "ctypes", "dataclasses", "logging", "pathlib", "ssl", "tomllib"}


def loaded(script, *arguments):
    """The modules that are there after a script."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    return set(done.stdout.decode().split())


@pytest.fixture(scope="module")
def bare():
    """The modules of an interpreter at its start; an installation may add to them."""
    return loaded("import sys; print(*sys.modules)")


def foreign(modules):
    """Packages that are neither the runtime's nor the interpreter's."""
    names = {name.partition(".")[0] for name in modules}
    return names - sys.stdlib_module_names - {"runtime"}


@pytest.mark.parametrize("word", ["version", "help"])
def test_a_word_of_the_command_loads_next_to_nothing(word, bare):
    modules = loaded(_COMMAND, word) - bare
    ours = {name for name in modules if name.startswith("runtime.")}
    assert ours == {
        "runtime.errors",
        "runtime.server",
        "runtime.server.__main__",
        "runtime.server.flags",
        "runtime.server.process_environment",
        "runtime.version",
    }
    assert foreign(modules) == set()
    assert modules & _SLOW == set()


def test_the_configuration_is_shown_without_a_server(bare):
    modules = loaded(_COMMAND, "config") - bare
    assert foreign(modules) == set()
    assert (
        modules & {"asyncio", "sqlite3", "runtime.store.database", "runtime.delivery"}
        == set()
    )


def test_memory_is_saved_before_the_libraries_are_loaded_that_waste_it(bare):
    script = "import sys, runtime.server.process; print(*sys.modules)"
    assert foreign(loaded(script) - bare) == set()


def test_a_server_loads_only_what_most_servers_need():
    script = "import sys, runtime.server.server; print(*sys.modules)"
    modules = loaded(script)
    needless = {"aiohttp.web", "argparse", "bcrypt", "difflib", "prometheus_client"}
    assert modules & needless == set()


def test_influxdb_and_udp_are_loaded_where_they_are_configured():
    script = """
import sys, runtime.server.server
from runtime.services.influxdb.service import InfluxDBService
InfluxDBService((), lambda: None).open()
print(*sys.modules)
"""
    parts = ("runtime.services.influxdb.", "runtime.services.udp.")
    found = {name for name in loaded(script) if name.startswith(parts)}
    assert {name.rpartition(".")[2] for name in found} == {
        "clusters",
        "config",
        "service",
    }
