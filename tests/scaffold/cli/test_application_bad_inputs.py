"""Hostile and impatient users: exit code, cause and remedy, and an unchanged tree."""

import hashlib
import os
import subprocess
import sys

import pytest

from scaffold import cli

URL = "[config]\nurl = {}\n"
TAIL = '[[request]]\nurl = "${config.url}"\ntext = "${event.message}"\n'
ALERT = "runtime/integrations/properties.py"
HANDLERS = "runtime/integrations/node_handlers.py"


def digest(root):
    """Everything below `root`: names, kinds, contents."""
    found = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if {"cache", "__pycache__", "lock"} & {*path.parts}:
            continue
        found.update(str(path.relative_to(root)).encode())
        if path.is_symlink():
            found.update(str(path.readlink()).encode())
        elif path.is_file():
            found.update(path.read_bytes())
    return found.hexdigest()


@pytest.fixture
def refused(made_project, capsys):
    """Runs a command that has to be refused; what it said."""

    def run(*arguments, code=2, root=made_project):
        before = digest(root)
        with pytest.raises(SystemExit) as ended:
            cli.main([arguments[0], "-C", str(root), *arguments[1:]])
        said = capsys.readouterr().err
        assert ended.value.code == code, said
        assert "Traceback" not in said
        assert digest(root) == before
        return said

    return run


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("../evil", "is not a handler name"),
        ("a/b", "did you mean 'a_b'?"),
        ("a\\b", "is not a handler name"),
        ("/abs", "is not a handler name"),
        ("~root", "is not a handler name"),
        ("C:x", "is not a handler name"),
        ("foo.py", "is not a handler name"),
        (".hidden", "is not a handler name"),
        ("class", "is a Python keyword"),
        ("None", "is not a handler name"),
        ("match", "is a Python keyword"),
        ("type", "is a Python builtin"),
        ("_", "is not a handler name"),
        ("__init__", "is not a handler name"),
        ("self", "is reserved by the runtime"),
        ("print", "is a Python builtin"),
        ("import", "is a Python keyword"),
        ("\uff43lass", "U+FF43"),
        ("\ufb01oo", "U+FB01"),
        ("\u017flack", "U+017F"),
        ("\u212a", "U+212A"),
        ("\u0430lert", "U+0430"),
        ("foo\u00b7bar", "U+00B7"),
        ("hi\u1e55chat", "U+1E55"),
        ("\u0130", "U+0130"),
        ("con", "is a device name on Windows"),
        ("com1", "is a device name on Windows"),
        ("Foo", "did you mean 'foo'?"),
        ("foo_service", "is the name of a part of the handler 'foo'"),
        ("hip_chat", "differs from the handler 'hipchat' in underscores only"),
        ("alert", "is reserved by the runtime"),
        ("topic", "is a property of all alert nodes"),
        ("publish", "is reserved by the runtime"),
        ("log", "is reserved by the runtime"),
        ("exec", "is a Python builtin"),
        ("x" * 300, "at most 40 characters"),
        ("", "NAME or --spec FILE is required"),
        ("123", "is not a handler name"),
        ("1foo", "is not a handler name"),
        ("foo-bar", "did you mean 'foo_bar'?"),
    ],
)
def test_names(refused, name, cause):
    said = refused("new-handler", "--field", "room", "--", name)
    error, *fix = said.splitlines()
    assert cause in error
    assert [line.split()[0] for line in fix] == (["fix:"] if not name else [])
    assert len(said) < 300


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--field port:int=abc", "'abc' is not an integer"),
        ("--field on:bool=yes", "'yes' is not a boolean; use true or false"),
        ("--config n:int=" + "9" * 5000, "is not an integer"),
        ("--config n:int=" + "9" * 30, "must be an integer of 64 bits"),
        ("--config x:float=nan", "must be a finite number"),
        ("--config x:float=1e400", "must be a finite number"),
        (
            "--config d:duration=1y",
            "is not a duration; write it as 10s, 1m30s or 500ms",
        ),
        ("--config d:duration=-5s", "is negative; write it as '10s'"),
        (
            "--config u:url=javascript:x",
            "is not the URL of a server; it must be http://",
        ),
        ("--config u:url=file:///etc/passwd", "is not the URL of a server"),
        ("--config u:url=http:///x", "is not the URL of a server"),
        (
            "--config u:url=http://h/\r\nx",
            "has characters that are not allowed in URLs",
        ),
        ("--config u:url=http://h/{room}", "is used as it is; write ${…}"),
        ("--option m:map=a", "is not a map; write it as a=b,c=d"),
        ("--field room:strr", "did you mean str?"),
        ("--field room:", "unknown type '' (allowed: str, secret"),
        ("--field :str", "is not a name for a key"),
        ("--field __class__", "did you mean 'class'?"),
        ("--field room --option room:int", "'room' is already given by --field room"),
        ("--field a-b --config a_b", "is already given"),
        ("--state-changes-only", "has no effect without 'global'"),
        ("--field message", "is the message of the alert; use another name"),
        ("--field room --spec x.toml", "--spec cannot be combined"),
    ],
)
def test_flags(refused, flags, said):
    parts = flags.split(" ")
    words = [" ".join(parts)] if len(parts) < 2 else parts
    told = refused("new-handler", "qux", *words)
    assert said in told
    assert len(told) < 500


@pytest.mark.parametrize(
    "flag",
    [
        "token:secret=hunter2",
        "x:str=xoxb-hunter2",
        "x:str=AKIAHUNTER2HUNTER2AB",
        "x:url=http://user:hunter2@host/",
        "x:str=hunter2deadbeefdeadbeefdeadbeef",
    ],
)
def test_secrets_are_refused_and_not_shown(refused, flag):
    said = refused("new-handler", "qux", "--field", flag)
    assert "would be committed" in said
    assert "hunter2" not in said.lower()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "handler.name: is missing"),
        (b"\xff\xfe[\0h\0", "is not UTF-8 text"),
        (b'[handler]\nname = "caf\xe9"\n', "is not UTF-8 text"),
        (b'[handler]\nname = "q\0"\n', ":2: invalid TOML: Illegal character"),
        (b'\xef\xbb\xbf[hander]\nname = "x"\n', "did you mean handler?"),
        (b"#" * 70_000, "is larger than 64 KiB"),
        (b"x = " + b"[" * 5000, "deeper than 20"),
        (b"x = " + b"9" * 5000, "invalid TOML"),
        (b'[handler]\nname = "a"\nname = "b"\n', ":3: invalid TOML"),
        (
            f'[handler]\nname = "qux"\n{URL}{TAIL.replace("message", "massage")}',
            "did you mean event.message?",
        ),
        (
            f'[handler]\nname = "qux"\n{URL}{TAIL}[response]\nmessage = "${{ {"("*99}"\n',
            "has no closing brace",
        ),
        (
            '[handler]\nname = "qux"\n[config]\nurl = { type = "url", secret = true, '
            f'default = "http://h/hunter2" }}\n{TAIL}',
            "must be absent: a secret would be committed",
        ),
        (f'[handler]\nname = "qux"\nsummary = "a\\u0000b"\n{URL}{TAIL}', "U+0000"),
    ],
)
def test_spec_files(refused, tmp_path, data, said):
    file = tmp_path / "bad.toml"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    told = refused("new-handler", "--spec", str(file))
    assert said in told
    assert "hunter2" not in told


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", ".", "nope.toml", "fifo"])
def test_what_is_no_spec_file(refused, tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    assert refused("new-handler", "--spec", name).startswith(f"error: {name}: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.replace(b"\n", b"\r"), ""),
        (lambda data: data + b"\r", ""),
        (lambda data: data.replace(b"import", b"imp\xe9rt", 1), ""),
        (lambda data: data.decode().encode("utf-16"), ""),
        (lambda data: data + b"\0", ""),
        (
            lambda data: data + b"<<<<<<< x\n=======\n>>>>>>> y\n",
            "contains a conflict marker",
        ),
        (lambda data: data + b"print 1\n", ".py:1"),
        (lambda data: data + b"def f(:\n", ".py:1"),
        (lambda data: data + b"x = (" + b"1 + " * 30000 + b"1)\n", ""),
        (lambda data: data + b"#" * 6_000_000, ""),
        (lambda data: data + b"\nif x:\n\ty = 1\n        z = 2\n", ".py:"),
        (
            lambda data: data.replace(b"NODE_HANDLERS: ", b"HANDLERS_GONE: "),
            "add this by hand",
        ),
        (
            lambda data: data + b"\nNODE_HANDLERS: dict = {'a': 1}\n",
            "add this by hand",
        ),
        (
            lambda data: data + b"\nNODE_HANDLERS = dict(a=1)\n",
            "add this by hand",
        ),
    ],
    ids=range(14),
)
def test_files_that_cannot_be_patched(refused, project, change, said):
    file = project / HANDLERS
    file.write_bytes(change(file.read_bytes()))
    told = refused("new-handler", "qux", "--field", "room", code=5, root=project)
    assert HANDLERS in told
    assert said in told


def _link(project, outside):
    target = outside / "alert.py"
    target.write_bytes((project / ALERT).read_bytes())
    (project / ALERT).unlink()
    (project / ALERT).symlink_to(target)


def _link_parent(project, outside):
    (project / "runtime/integrations").rename(outside / "integrations")
    (project / "runtime/integrations").symlink_to(outside / "integrations")


def _dangling(project, outside):
    (project / "runtime/services/qux").symlink_to(outside / "nowhere")


def _dangling_file(project, outside):
    (project / "docs/handlers/qux.md").symlink_to(outside / "nowhere")


def _hard_link(project, outside):
    os.link(project / ALERT, outside / "other.py")


def _folder(project, outside):
    (project / ALERT).unlink()
    (project / ALERT).mkdir()


def _fifo(project, outside):
    (project / ALERT).unlink()
    os.mkfifo(project / ALERT)


def _state_link(project, outside):
    (project / ".scaffold").rename(outside / "state")
    (project / ".scaffold").symlink_to(outside / "state")


@pytest.mark.parametrize(
    "spoil",
    [
        _link, _link_parent, _dangling, _dangling_file, _hard_link, _folder, _fifo,
        _state_link,
    ],
)  # fmt: skip
def test_targets_that_are_no_plain_files(refused, project, tmp_path, spoil):
    outside = tmp_path / "outside"
    outside.mkdir()
    spoil(project, outside)
    before = digest(outside)
    refused("new-handler", "qux", "--field", "room", code=5, root=project)
    assert digest(outside) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everything")
def test_a_file_that_may_not_be_written(refused, project):
    (project / ALERT).chmod(0o444)
    refused("new-handler", "qux", "--field", "room", code=5, root=project)


def test_a_file_where_the_state_should_be(refused, project, tmp_path):
    (project / ".scaffold").rename(tmp_path / "state")
    (project / ".scaffold").write_text("x")
    refused("new-handler", "qux", "--field", "room", code=5, root=project)


def test_a_hostile_environment_changes_nothing(project, tmp_path):
    (tmp_path / "evil").mkdir()
    for name in ("jinja2", "click", "libcst", "tomllib"):
        (tmp_path / "evil" / f"{name}.py").write_text("raise SystemExit('evil')\n")
        (project / f"{name}.py").write_text("raise SystemExit('evil')\n")
    (project / "templates").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
        "LC_ALL": "C",
        "PYTHONIOENCODING": "ascii",
        "JINJA_TEMPLATES": str(tmp_path),
        "GIT_DIR": "/nowhere",
    }
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "scaffold",
            "new-handler",
            "qux",
            "--title",
            "Qüx",
        ],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        encoding="ascii",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    text = (project / "runtime/services/qux/__init__.py").read_text("utf-8")
    assert text == '"""The Qüx integration."""\n'
