"""The kapacitord command line, without running a server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.server.__main__ import run_command
from runtime.server.config.config import Config
from runtime.server.process_environment import ProcessEnvironment
from runtime.version import PRODUCT_VERSION

Run = Callable[..., tuple[int, str, str]]
HINT = (
    "To generate a valid configuration file run "
    "`kapacitord config > kapacitor.generated.conf`."
)


@pytest.fixture
def run(tmp_path: Path, capsys: Any) -> Run:
    """Runs a command with nothing around it; code, stdout, stderr."""

    def command(*arguments: str, **environ: str) -> tuple[int, str, str]:
        environment = ProcessEnvironment(environ, f"{tmp_path}/home", f"{tmp_path}/etc")
        code = run_command(arguments, environment)
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_version(run: Run) -> None:
    code, out, _ = run("version")
    assert code == 0
    assert (
        out == f"Kapacitor OSS version 1.8.3 (git: scaffold-alerts {PRODUCT_VERSION})\n"
    )


@pytest.mark.parametrize("word", ["help", "-h", "-help", "--help"])
def test_help(run: Run, word: str) -> None:
    code, out, err = run(word)
    assert (code, "Usage: kapacitord" in out, err) == (0, True, "")


def test_unknown_command(run: Run) -> None:
    code, out, err = run("bogus")
    expected = "unknown command \"bogus\"\nRun 'kapacitord help' for usage\n"
    assert (code, out, err.startswith(expected)) == (1, "", True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-bogus"], "run: flag provided but not defined: -bogus\n"),
        (["run", "--bogus=1"], "run: flag provided but not defined: -bogus\n"),
        (["run", "-config"], "run: flag needs an argument: -config\n"),
        (
            ["-cpuprofile=cpu.prof"],
            "run: -cpuprofile is not supported by this server\n",
        ),
        (
            ["config", "-pidfile", "x"],
            "config: flag provided but not defined: -pidfile\n",
        ),
    ],
)
def test_wrong_flags(run: Run, arguments: list[str], text: str) -> None:
    code, _, err = run(*arguments)
    assert (code, "Usage:" in err, err.endswith(text)) == (1, True, True)


def test_networks_that_are_none_are_refused(run: Run) -> None:
    code, _, err = run(
        "run", "-config", "/dev/null", "-blacklist-cidrs", "10.0.0.0/8,x"
    )
    expected = "run: -blacklist-cidrs: invalid CIDR address: x\n"
    assert (code, err.endswith(expected)) == (1, True)


def test_networks_on_the_command_line_are_denied_too(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Config] = []

    async def serve(config: Config, *others: object) -> None:
        served.append(config)

    monkeypatch.setattr("runtime.server.process._serve", serve)
    path = tmp_path / "k.conf"
    path.write_text("[delivery]\ndenied-networks = ['192.0.2.0/24']\n")
    code, _, _ = run("-config", str(path), "-blacklist-cidrs", "10.0.0.0/8, ::1/128")
    assert code == 0
    expected = ("192.0.2.0/24", "10.0.0.0/8", "::1/128")
    assert served[0].delivery.denied_networks == expected


def test_config_shows_the_defaults(run: Run, tmp_path: Path) -> None:
    code, out, err = run("config")
    assert code == 0
    assert err == "No configuration provided, using default settings\n"
    assert f'data_dir = "{tmp_path}/home/.kapacitor"\n' in out
    assert '\n[http]\n  bind-address = "127.0.0.1:9092"\n' in out


def test_config_merges_file_environment_and_flags(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "k.conf"
    path.write_text(
        'hostname = "file"\n[foo]\nroom = "file"\n[stats]\nenabled = true\n'
    )
    code, out, err = run(
        *("config", f"-config={path}", "--hostname", "flag"),
        KAPACITOR_HOSTNAME="env",
        KAPACITOR_FOO_ROOM="env",
    )
    assert code == 0
    assert err == (
        f"Merging with configuration at: {path}\n"
        f"data_dir is not set, and required: {tmp_path}/home/.kapacitor is shown\n"
        "line 4: [stats] has no effect: statistics are served at /metrics and "
        "/kapacitor/v1/debug/vars, not written as points\n"
    )
    assert 'hostname = "flag"\n' in out
    assert '  room = "env"\n' in out


def test_an_invalid_configuration_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "k.conf"
    path.write_text("[hipchat]\nenabled = true\n")
    code, out, err = run("config", "-config", str(path))
    assert (code, out) == (1, "")
    assert err.endswith(f"config: hipchat: must specify url. {HINT}\n")


def test_run_needs_a_data_directory(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "k.conf"
    path.write_text("[logging]\nfile = '/dev/null'\n")
    code, _, err = run("-config", str(path))
    assert code == 1
    assert err.endswith(
        "run: create server: invalid configuration: "
        f"must configure valid data dir. {HINT}\n"
    )


def test_a_foreign_database_is_left_alone(run: Run, tmp_path: Path) -> None:
    database = tmp_path / "kapacitor.db"
    database.write_bytes(b"\0" * 4096)
    path = tmp_path / "k.conf"
    path.write_text(
        f'data_dir = "{tmp_path}"\n[storage]\nboltdb = "{database}"\n'
        "[logging]\nfile = '/dev/null'\n"
    )
    code, _, err = run("run", "-config", str(path))
    assert code == 1
    assert f"storage: {database} is not a database of this server" in err
    assert database.read_bytes() == b"\0" * 4096


@pytest.mark.parametrize(
    ("sections", "arguments", "text"),
    [
        (
            "[storage]\nboltdb = '/dev/null/k.db'",
            [],
            "create server: storage: open /dev/null/k.db: Not a directory",
        ),
        (
            "[http]\nhttps-enabled = true\nhttps-certificate = '/nowhere/k.pem'",
            [],
            "create server: http: failed to load https-certificate /nowhere/k.pem: "
            "No such file or directory",
        ),
        (
            "",
            ["-pidfile", "/dev/null/pid"],
            "write pid file /dev/null/pid: File exists",
        ),
        (
            "[http]\nbind-address = '127.0.0.1:1'\n# \udcff",
            [],
            "parse config: {path} is not UTF-8 text",
        ),
    ],
)
def test_what_cannot_be_used_is_named(
    run: Run, tmp_path: Path, sections: str, arguments: list[str], text: str
) -> None:
    path = tmp_path / "k.conf"
    start = f'data_dir = "{tmp_path}"\n[logging]\nfile = "/dev/null"\n'
    if "[storage]" not in sections:
        start += f'[storage]\nboltdb = "{tmp_path}/k.db"\n'
    path.write_text(start + sections, errors="surrogateescape")
    code, _, err = run("-config", str(path), *arguments)
    assert (code, err.splitlines()[-1]) == (1, f"run: {text.format(path=path)}")


def test_a_wrong_log_level_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "k.conf"
    path.write_text(f'data_dir = "{tmp_path}"\n[logging]\nlevel = "LOUD"\n')
    code, _, err = run("-config", str(path))
    assert (code, err.endswith("run: init logging: invalid log level\n")) == (1, True)


def test_an_unknown_kind_to_disable_is_logged(run: Run, tmp_path: Path) -> None:
    path, log = tmp_path / "k.conf", tmp_path / "log"
    path.write_text(f'data_dir = "{tmp_path}"\n[storage]\nboltdb = "/dev/null/x"\n')
    arguments = ["-disable-handlers", "slakc,log", "-log-file", str(log)]
    assert run("-config", str(path), *arguments)[0] == 1
    [line] = [each for each in log.read_text().splitlines() if "unknown" in each]
    text = r"-disable-handlers: unknown handler kind \"slakc\"; did you mean \"slack\"?"
    assert f'lvl=warn msg="{text}"' in line


def test_the_process_id_does_not_outlive_a_failed_start(
    run: Run, tmp_path: Path
) -> None:
    pid = tmp_path / "run" / "pid"
    path = tmp_path / "k.conf"
    path.write_text("[logging]\nfile = '/dev/null'\n")
    assert run("-config", str(path), "-pidfile", str(pid))[0] == 1
    assert not pid.exists()
