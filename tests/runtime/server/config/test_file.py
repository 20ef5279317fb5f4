"""The configuration file. The texts of type errors are Kapacitor's TOML library's."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ConfigError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets import Secret
from runtime.server.config.config import Config, demo_config
from runtime.server.config.file import decode, find, read
from runtime.server.config.text import dump
from runtime.units import MINUTE, SECOND

REAL = """\
# as a package installs it
hostname = "localhost"
data_dir = "/var/lib/kapacitor"

[http]
  bind-address = ":9092"
  log-enabled = true
  write-tracing = false
  pprof-enabled = false
  https-enabled = false
  https-certificate = "/etc/ssl/kapacitor.pem"

[tls]
  # ciphers = []

[config-override]
  enabled = true

[logging]
    file = "/var/log/kapacitor/kapacitor.log"
    level = "INFO"

[load]
  enabled = true
  dir = "/etc/kapacitor/load"

[replay]
  dir = "/var/lib/kapacitor/replay"

[task]
  dir = "/var/lib/kapacitor/tasks"
  snapshot-interval = "60s"

[storage]
  boltdb = "/var/lib/kapacitor/kapacitor.db"

[deadman]
  global = false
  id = "{{ .Group }}:NODE_NAME for task '{{ .TaskName }}'"

[[influxdb]]
  enabled = true
  name = "localhost"
  urls = ["http://localhost:8086"]
  [influxdb.subscriptions]
  [influxdb.excluded-subscriptions]

[kubernetes]
  enabled = false

[smtp]
  enabled = false
  to = []

[[azure]]
  enabled = false

[[azure]]
  enabled = false

[[scraper]]
  enabled = false
  [[scraper.targets]]

[reporting]
  enabled = true

[stats]
  enabled = true

[udf]
[udf.functions]
    [udf.functions.goCount]
    prog = "count"

[talk]
  enabled = false

[[udp]]
  enabled = false

[hipchat]
  enabled = true
  url = "https://testtest.hipchat.com/v2/room"
  room = "malerts"
  token = "tokentokentokentokentoken"
  global = false
  state-changes-only = true
"""


def test_the_file_of_a_real_installation_is_accepted() -> None:
    loaded = decode(REAL, INTEGRATIONS)
    config = loaded.config
    config.validate()
    assert config.http.address() == ("", 9092)
    assert config.hostname == "localhost"
    assert config.task.snapshot_interval == MINUTE
    assert config.handlers["hipchat"].room == "malerts"
    assert config.handlers["hipchat"].token == Secret("tokentokentokentokentoken")
    assert config.handlers["hipchat"].state_changes_only
    assert loaded.warnings == ()


def test_without_a_host_in_the_file_the_server_listens_on_loopback() -> None:
    assert Config().http.address() == ("127.0.0.1", 9092)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[hipchat]\nenabled = "yes"',
            'toml: line 2 (last key "hipchat.enabled"): incompatible types: '
            "TOML value has type string; destination has type boolean",
        ),
        (
            "[hipchat]\n\n# a = 1\nroom = 5",
            'toml: line 4 (last key "hipchat.room"): incompatible types: '
            "TOML value has type int64; destination has type string",
        ),
        (
            "hostname = true",
            'toml: line 1 (last key "hostname"): incompatible types: '
            "TOML value has type bool; destination has type string",
        ),
        (
            '[http]\nshutdown-timeout = "soon"',
            'toml: line 2 (last key "http.shutdown-timeout"): '
            'time: invalid duration "soon"',
        ),
        (
            '[hipchat]\nroom = "a"\n[foo]\n[hipchat]',
            "toml: line 4: Key 'hipchat' has already been defined.",
        ),
        (
            '[hipchat]\nroom = "a"\nroom = "b"',
            'toml: line 3 (last key "hipchat.room"): '
            "Key 'hipchat.room' has already been defined.",
        ),
        (
            "[alert]\nmax-recovered = 9223372036854775808",
            'toml: line 2 (last key "alert.max-recovered"): '
            "9223372036854775808 is out of range for int64",
        ),
        (
            "[[hipchat]]\nenabled = true\n[[hipchat]]\nenabled = true",
            'toml: line 3 (last key "hipchat"): a second [[hipchat]] is enabled, and '
            "this server has one hipchat",
        ),
        ("a = " + "9" * 5000, "toml: an integer is out of range for int64"),
        ("a = " + "[" * 5000, "toml: values are nested too deeply"),
    ],
)
def test_faults_tell_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(text, INTEGRATIONS)
    assert str(caught.value) == message


def test_what_is_no_toml_tells_the_line() -> None:
    with pytest.raises(ConfigError, match=r"^toml: line 2: "):
        decode("[http]\nbind-address = ", INTEGRATIONS)


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (
            '[hipchat]\nrooom = "a"',
            ['line 2: unknown key hipchat.rooom has no effect; did you mean "room"?'],
        ),
        (
            'hostnam = "a"',
            ['line 1: unknown key hostnam has no effect; did you mean "hostname"?'],
        ),
        # Kapacitor had this key once
        ('token = ""', ["line 1: unknown key token has no effect"]),
        # a former version had this one
        (
            "[delivery]\nflood-limit = 60",
            ["line 2: unknown key delivery.flood-limit has no effect"],
        ),
        # strings that look like TOML
        (
            'hostname = """\n[hipchat]\nroom = "a\n"""\n[foo]\n"room" = \'[x]\'\nx = 1',
            ["line 7: unknown key foo.x has no effect"],
        ),
        # dotted keys, inline tables, arrays of tables, over several lines
        (
            'foo.room = "a"\nfoo.x.y = 1\nhipchat = { room = "b", zz = 2 }',
            [
                "line 2: unknown key foo.x has no effect",
                "line 3: unknown key hipchat.zz has no effect",
            ],
        ),
        (
            "httppost = [\n  { endpoint = 'a', url = 'http://a' },\n"
            "  # another\n  { endpoint = 'b', url = 'http://b', zz = 1 },\n]",
            ["line 4: unknown key httppost.zz has no effect"],
        ),
        (
            "[[httppost]]\nendpoint = 'a'\nurl = 'http://a'\n[[httppost]]\n"
            "endpoint = 'b'\nurl = 'http://b'\n[httppost.basic-auth]\nzz = 1",
            ["line 8: unknown key httppost.basic-auth.zz has no effect"],
        ),
        (
            "[[http]]\nlog-enabled = false\n[[http]]\nlog-enabled = true",
            ["line 3: a further [[http]] has no effect"],
        ),
        ("[[foo]]\nenabled = true\n[[foo]]\nenabled = false", []),
        (
            '"" = 1\n[foo]\n"a\\u001b[31m" = 1',
            [
                'line 1: unknown key "" has no effect',
                'line 3: unknown key foo."a\\x1b[31m" has no effect',
            ],
        ),
        ("\ufeff\n[foo]\nx = 1", ["line 3: unknown key foo.x has no effect"]),
        ("\r\n# c\r\n[foo]\r\nx = 1\r\n", ["line 4: unknown key foo.x has no effect"]),
        # Kapacitor's library skips what should be a table
        (
            "[[httppost]]\nendpoint = 'a'\nurl = 'http://a'\nheaders = 'x'",
            ["line 4: httppost.headers has no effect: it must be a section"],
        ),
    ],
)
def test_what_has_no_effect_is_told_with_its_line(
    text: str, warnings: list[str]
) -> None:
    assert list(decode(text, INTEGRATIONS).warnings) == warnings


def test_keys_that_do_nothing_in_kapacitor_either_are_silent() -> None:
    text = (
        '[auth]\nmeta-addr = "x"\nmeta-internal-shared-secret = "s"\n'
        '[task]\ndir = "/tasks"\n'
    )
    assert decode(text, INTEGRATIONS).warnings == ()


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ('[HipChat]\nROOM = "a"', "a"),
        ('[[hipchat]]\nroom = "a"', "a"),
        ('[hipchat]\nRoom = "a"\nroom = "b"', "b"),
        ('[hipchat]\nroom = "b"\nRoom = "a"', "b"),
        ('[hipchat]\nroom = "b"\n[HIPCHAT]\nenabled = false', "b"),
        # disabled sections do not count
        ('[[hipchat]]\nroom = "a"\n[[hipchat]]\nroom="b"\nenabled = true', "b"),
    ],
)
def test_names_and_tables_as_kapacitors_library_takes_them(
    text: str, room: str
) -> None:
    loaded = decode(text, INTEGRATIONS)
    assert (loaded.config.handlers["hipchat"].room, loaded.warnings) == (room, ())


def test_an_empty_duration_leaves_the_default() -> None:
    config = decode(
        '[http]\nshutdown-timeout = ""\nread-timeout = 0', INTEGRATIONS
    ).config
    assert (config.http.shutdown_timeout, config.http.read_timeout) == (10 * SECOND, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('hostname = ""', "must configure valid hostname"),
        ('data_dir = ""', "must configure valid data dir"),
        ('[replay]\ndir = ""', "replay: must specify dir"),
        ('[storage]\nboltdb = ""', "storage: must specify storage 'boltdb' path"),
        (
            "[auth]\nenabled = true",
            "auth: must provide a bcrypt cost >= 4, got 0",
        ),
        (
            '[http]\nbind-address = "foo"',
            "http: invalid http bind address foo: address foo: missing port in address",
        ),
        (
            '[http]\nbind-address = "a:b:1"',
            "http: invalid http bind address a:b:1: "
            "address a:b:1: too many colons in address",
        ),
        (
            '[http]\nbind-address = ":abc"',
            "http: invalid http bind address port abc: "
            'strconv.ParseInt: parsing "abc": invalid syntax',
        ),
        (
            '[http]\nbind-address = ":99999"',
            "http: invalid http bind address port 99999: out of range",
        ),
        (
            '[http]\nbind-address = ":' + "9" * 5000 + '"',
            f"http: invalid http bind address port {'9' * 5000}: out of range",
        ),
        ("[load]\nenabled = true\ndir = 'load'", "dir must be an absolute path"),
        ("[hipchat]\nenabled = true", "hipchat: must specify url"),
        ("[foo]\nenabled = true", "foo: must specify the Foo server URL"),
        ('[alert]\nretention = "-1s"', "alert: retention must not be negative"),
        ("[alert]\nmax-recovered = -1", "alert: max-recovered must not be negative"),
        ('[http]\nread-timeout = "-1s"', "http: read-timeout must not be negative"),
        (
            '[http]\nshutdown-timeout = "-1s"',
            "http: shutdown-timeout must not be negative",
        ),
        (
            "[alert]\nallowed-log-paths = ['/a', 'b']",
            "alert: allowed-log-paths: b must be absolute",
        ),
        (
            "[delivery]\nssl-ca = '/nowhere/ca.pem'",
            "delivery: ssl-ca /nowhere/ca.pem: No such file or directory",
        ),
        (
            "[hipchat]\nenabled = true\n[http]\nbind-address = 'x'",
            "http: invalid http bind address x: address x: missing port in address",
        ),
    ],
)
def test_values_are_checked_in_order(text: str, message: str, tmp_path: Path) -> None:
    config = decode(text, INTEGRATIONS, demo_config(tmp_path, {})).config
    with pytest.raises(ConfigError) as caught:
        config.validate()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("localhost:", ("localhost", 0)),
        ("[::1]:80", ("::1", 80)),
        ("10.0.0.1:9092", ("10.0.0.1", 9092)),
    ],
)
def test_addresses(address: str, expected: tuple[str, int]) -> None:
    config = decode(f'[http]\nbind-address = "{address}"', INTEGRATIONS).config
    assert config.http.address() == expected


def test_a_short_buffer_means_the_default() -> None:
    short = decode("[alert]\ntopic-buffer-length = 999", INTEGRATIONS).config
    long = decode("[alert]\ntopic-buffer-length = 1000", INTEGRATIONS).config
    assert (short.alert.buffer_length, long.alert.buffer_length) == (5000, 1000)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nofile.conf"
    expected = f"^parse config: open {path}: no such file or directory$"
    with pytest.raises(ConfigError, match=expected):
        read(path, INTEGRATIONS)


def test_where_the_file_is_looked_for(tmp_path: Path) -> None:
    home, etc = tmp_path / "home", tmp_path / "etc"
    for root in (home / ".kapacitor", etc / "kapacitor"):
        root.mkdir(parents=True)
    own, shared = (
        home / ".kapacitor" / "kapacitor.conf",
        etc / "kapacitor" / "kapacitor.conf",
    )
    assert find("", {}, home, etc) is None
    shared.write_text("a")
    own.touch()
    assert find("", {}, home, etc) == shared
    own.write_text("a")
    assert find("", {}, home, etc) == own
    environ = {"KAPACITOR_CONFIG_PATH": "/x"}
    assert find("", environ, home, etc) == Path("/x")
    assert find("/y", environ, home, etc) == Path("/y")
    assert find("/dev/null", environ, home, etc) is None


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    config = decode(REAL, INTEGRATIONS).config
    again = decode(dump(config, reveal=True), INTEGRATIONS)
    assert again.config == config
    assert (again.warnings, again.absent) == ((), ())


@given(hostname=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_is_written_so_that_it_reads_back(hostname: str) -> None:
    config = Config(hostname=hostname)
    assert decode(dump(config), INTEGRATIONS).config.hostname == hostname


HIDING = """\
[hipchat]
  url = "https://user:pass@h/v2/room?auth_token=5ecret"
  token = "t\\"<"
[[httppost]]
  endpoint = "e"
  url = "https://hooks.example/T0/B0/{{ .ID }}/abcdefghijklmnopqrstuvwx"
  [httppost.headers]
    Authorization = "Bearer 5ecret"
    X-Room = "r"
  [httppost.basic-auth]
    username = "u"
    password = "5ecret"
"""


def test_a_table_is_written_without_its_secrets() -> None:
    config = decode(HIDING, INTEGRATIONS).config
    text = dump(config)
    for secret in ("5ecret", "pass@", "abcdefghijklmnopqrstuvwx", 't\\"'):
        assert secret not in text
    assert (
        "\n[hipchat]\n"
        "  enabled = false\n"
        '  url = "https://***@h/v2/room?auth_token=***"\n'
        '  token = "***"\n'
        '  room = ""\n'
        "  global = false\n"
        "  state-changes-only = false\n"
    ) in text
    assert '    Authorization = "***"\n    X-Room = "r"\n' in text
    assert text.startswith('hostname = "localhost"\ndata_dir = ""\n')
    assert text.endswith("\n\n")
    assert '  token = "t\\"\\u003c"\n' in dump(config, reveal=True)


@pytest.mark.parametrize(
    "text",
    [
        '[hipchat]\ntoken = "***"',
        '[hipchat]\ntoken = "<redacted>"',
        '[hipchat]\nurl = "https://***@h/"',
        '[[httppost]]\n[httppost.headers]\nAuthorization = "***"',
        '[[httppost]]\n[httppost.basic-auth]\npassword = "***"',
    ],
)
def test_what_hides_a_secret_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match="is a placeholder"):
        decode(text, INTEGRATIONS)


def test_the_sample_file_holds_the_defaults_but_for_paths() -> None:
    sample = Path(__file__).parents[4] / "etc" / "kapacitor.conf"
    config, warnings, absent = read(sample, INTEGRATIONS)
    config.validate()
    assert (warnings, absent) == ((), ())
    assert (config.http, config.alert) == (Config().http, Config().alert)
    assert config.handlers == INTEGRATIONS.tables()
