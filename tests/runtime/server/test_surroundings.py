"""Machines that lack something: the server reports it, or works without it."""

import asyncio
import http.client
import socket

import pytest

from runtime.errors import KapacitorError
from runtime.server.config.sections import HttpConfig
from runtime.testing.loopback import LoopbackServer

SCRIPT = "stream|from().measurement('cpu')|alert().crit(lambda: TRUE).foo()"


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_without_trusted_authorities_the_start_says_so(api, monkeypatch, caplog):
    api.restart()
    assert "no CA certificates found" not in caplog.text
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    api.restart()
    [record] = [each for each in caplog.records if "CA certificates" in each.message]
    assert (record.levelname, record.file) == ("WARNING", "/nowhere/ca.pem")
    assert api.ask("GET", "/tasks")[0] == 200


@pytest.mark.parametrize(
    ("address", "is_open"), [("0.0.0.0:0", True), ("127.0.0.1:0", False)]
)
def test_a_server_that_anybody_reaches_says_so(
    address, is_open, config, start_api, caplog
):
    config.http = HttpConfig(bind_address=address, log_enabled=False)
    start_api(config)
    assert (
        "other machines can use the API without credentials" in caplog.text
    ) == is_open


def test_no_folder_for_temporary_files_is_needed(start_kapacitord):
    nowhere = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"), "/proc")
    with LoopbackServer() as chat:
        server = start_kapacitord(
            f'[foo]\n  enabled = true\n  url = "{chat.url}"\n', environment=nowhere
        )
        task = {"id": "t", "dbrps": [{"db": "telegraf", "rp": "autogen"}]}
        server.json("POST", "/tasks", {**task, "script": SCRIPT, "status": "enabled"})
        server.write("cpu value=1 1")
        assert chat.next(10).json["room"] == ""
        server.json("POST", "/storage/stores/tasks", {"action": "rebuild"})
        backup = server.client()("GET", "/storage/backup")
        assert backup.body.startswith(b"SQLite format 3")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_machine_with_ipv6_only(config, start_api):
    config.http = HttpConfig(bind_address="[::1]:0", log_enabled=False)
    api = start_api(config)

    def ask():
        connection = http.client.HTTPConnection("::1", api.server.http.port, timeout=10)
        connection.request("GET", "/kapacitor/v1/ping")
        status = connection.getresponse().status
        connection.close()
        return status

    assert api.run(asyncio.to_thread(ask)) == 204


def test_an_address_that_the_machine_lacks_is_named(config, start_api):
    config.http = HttpConfig(bind_address="[2001:db8::1]:0", log_enabled=False)
    with pytest.raises(KapacitorError, match=r"listen tcp \[2001:db8::1\]:0: "):
        start_api(config)
