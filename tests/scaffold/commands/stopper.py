# ruff: noqa: PTH102, PTH109, PTH115, PTH118, PTH123, PTH208 - nothing but what is watched
"""A program that stops commands at every call that writes; run by the tests.

`python -m tests.scaffold.commands.stopper PROJECT FOLDER STOPS NAME...` prepares a copy of
PROJECT below FOLDER for each command NAME of `stopped`, and runs it there. It is stopped at
each of its calls in each of the ways of `WAYS` if STOPS is `all`, or else at as many calls
as STOPS says, with the ways in turn. A line of the output is a JSON object about a command:

    name      its name
    total     the number of its calls that write
    runs      the number of runs that were stopped
    kinds     the number of calls by kind
    wrong     descriptions of the runs that left neither the files before nor those after,
              and of calls in an order that a power cut could turn into such files
    unknown   kinds of calls that this program does not know

With `log=FILE` as STOPS nothing is stopped, and the calls are written to FILE, to be
compared with those that `strace` sees.

Calls are seen by an audit hook, which Python's own functions cannot get around; those
without an audit event are replaced. With `log=FILE` as STEP nothing is stopped, and the
calls are written to FILE, to be compared with those that `strace` sees.

It forks, so that a run costs little; for that it must be a process with one thread. Planning
is done once: the runs are forks at the first call that writes after it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import json
import os
import shutil
import signal
import stat
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scaffold.cli import main
from scaffold.disk import recovery
from tests.scaffold.commands import stopped

# audit events of calls that write, by how many of their arguments are paths
WRITING = {
    **{"open": 1, "os.mkdir": 1, "os.rename": 2, "os.remove": 1, "os.rmdir": 1},
    **{"os.link": 2, "os.symlink": 2, "os.chmod": 1, "os.chown": 1},
    **{"os.truncate": 1, "os.utime": 1, "os.setxattr": 1, "os.removexattr": 1},
}
# calls without an audit event: of all that `os` has, those that write
UNSEEN = {
    *("write", "pwrite", "writev", "pwritev", "sendfile", "copy_file_range", "splice"),
    *("fsync", "fdatasync", "sync", "posix_fallocate", "mkfifo", "mknod"),
}
# that neither write nor lead to a write that would not be seen
READING = {"os.chdir", "os.fork", "os.listdir", "os.scandir", "pathlib.Path.rglob"}
GROUPS = ("os.", "shutil.", "tempfile.", "mmap.", "subprocess.", "pathlib.", "ctypes.")
_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED = {5, 7}

Stop = Callable[[str], None]


class Call(NamedTuple):
    """A call that writes.

    Attributes:
        kind: its name.
        path: the file or folder.
        target: the second one of a call that moves or links.
    """

    kind: str
    path: str
    target: str = ""


Seen = Callable[[Call], None]


class Watch:
    """Sees all calls that write, before they are made.

    Attributes:
        seen: called with each of them.
        unknown: audit events of calls that it does not know.
    """

    def __init__(self) -> None:
        self.seen: Seen | None = None
        self.unknown: set[str] = set()
        # of threads in `seen`: what that does is not meant
        self._busy: set[int] = set()
        # the folders that files are opened in, by thread: the event does not have them
        self._folders: dict[int, int] = {}
        for name in UNSEEN:
            setattr(os, name, self._replaced(name, getattr(os, name)))
        os.open = self._opening(os.open)
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def over(self, seen: Seen) -> Iterator[None]:
        """Watch the block."""
        self.seen = seen
        try:
            yield
        finally:
            self.seen = None

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is None:
            return
        if event == "open":
            path, _, flags = arguments
            if flags & _FLAGS and path != os.devnull:
                folder = self._folders.get(threading.get_ident(), -1)
                self._tell("open", path, folders=(folder,))
        elif event in WRITING:
            count = WRITING[event]
            # the descriptors of the folders, if any, come last
            folders = arguments[-count:] if len(arguments) >= 2 * count else ()
            self._tell(event.removeprefix("os."), *arguments[:count], folders=folders)
        elif event.startswith(GROUPS) and event not in READING:
            self.unknown.add(event)

    def _replaced(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def replaced(*arguments: Any, **options: Any) -> Any:
            if self.seen is not None:
                self._tell(name, *arguments[:1])
            return call(*arguments, **options)

        return replaced

    def _opening(self, call: Callable[..., int]) -> Callable[..., int]:
        def opening(*arguments: Any, **options: Any) -> int:
            thread = threading.get_ident()
            self._folders[thread] = options.get("dir_fd", -1)
            try:
                return call(*arguments, **options)
            finally:
                del self._folders[thread]

        return opening

    def _tell(self, kind: str, *paths: Any, folders: tuple[int, ...] = ()) -> None:
        thread = threading.get_ident()
        if thread in self._busy or self.seen is None:
            return
        self._busy.add(thread)
        try:
            whole = map(_whole, paths, itertools.chain(folders, itertools.repeat(-1)))
            self.seen(Call(kind, *whole))
        finally:
            self._busy.discard(thread)


def _whole(path: Any, folder: int = -1) -> str:
    """A path from the root, of a descriptor too, as it is at this moment."""
    if isinstance(path, int):
        return os.readlink(f"/proc/self/fd/{path}")
    start = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else os.getcwd()
    return os.path.normpath(os.path.join(start, os.fsdecode(path)))


def kill(path: str) -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def failing(code: int) -> Stop:
    """A call that fails."""

    def fail(path: str) -> None:
        raise OSError(code, os.strerror(code), path)

    return fail


class Way(NamedTuple):
    """A way to stop.

    Attributes:
        stop: called in place of the call.
        stays: true if all later calls are stopped too.
        in_recovery: true if recovery is stopped as well, twice.
    """

    stop: Stop
    stays: bool = False
    in_recovery: bool = False


WAYS = {
    "killed": Way(kill),
    "killed in recovery": Way(kill, in_recovery=True),
    "ENOSPC": Way(failing(errno.ENOSPC)),
    "EIO": Way(failing(errno.EIO)),
    "EACCES": Way(failing(errno.EACCES)),
    "a dead disk": Way(failing(errno.EIO), stays=True),
}


class Stopping:
    """Counts calls, and stops at one of them."""

    def __init__(self, at: int, way: Way, done: int = 0) -> None:
        self._at = at
        self._way = way
        self._numbers = itertools.count(done + 1)

    def __call__(self, call: Call) -> None:
        """Stop at a call, if it is the one."""
        self.at_call(next(self._numbers), call)

    def at_call(self, number: int, call: Call) -> None:
        """Stop at a call of this number, if it is the one."""
        if number == self._at or (self._way.stays and number > self._at):
            self._way.stop(call.path)


def command(root: Path, arguments: tuple[str, ...]) -> int:
    """Run a command line; its exit code."""
    os.chdir(root)
    try:
        main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def forked(run: Callable[[], int]) -> int:
    """Run something in a process of its own; its result, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            _be_silent()
            code = run()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be_silent() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


Files = dict[str, tuple[bytes, int]]


def everything(root: Path) -> Files:
    """Files and folders below a folder, with their permissions; folders end in `/`."""
    found: Files = {}

    def look(folder: str, path: str) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                inner = f"{path}{entry.name}"
                mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
                if entry.is_dir(follow_symlinks=False):
                    found[f"{inner}/"] = (b"", mode)
                    look(entry.path, f"{inner}/")
                else:
                    with open(entry.path, "rb", buffering=0) as file:
                        found[inner] = (file.read(), mode)

    look(str(root), "")
    return found


def people(found: Files) -> Files:
    """People's files, without the generator's lock, journal, kept files and folders."""
    return {
        path: value
        for path, value in found.items()
        if not path.startswith((".scaffold/lock", ".scaffold/txn/", ".scaffold/undo/"))
        and not (path.startswith(".scaffold/") and path.endswith("/"))
    }


def restore(root: Path, wanted: Files) -> None:
    """Bring a folder back; no file is written to, which may have two names."""
    now = everything(root)
    for path in sorted(now, reverse=True):
        if path.endswith("/"):
            if path not in wanted:
                (root / path).rmdir()
        elif now[path] != wanted.get(path):
            (root / path).unlink()
    for path in sorted(wanted):
        if now.get(path) == wanted[path]:
            continue
        data, mode = wanted[path]
        if path.endswith("/"):
            (root / path).mkdir(exist_ok=True)
        else:
            (root / path).write_bytes(data)
        (root / path).chmod(mode)


class Trial:
    """One command, to be stopped.

    Attributes:
        calls: its calls that write.
        runs: the number of runs that were stopped.
        wrong: descriptions of what was wrong.
    """

    def __init__(self, watch: Watch, root: Path, case: stopped.Case) -> None:
        self._watch = watch
        self._root = root
        self._case = case
        self._home = Path(os.environ["XDG_STATE_HOME"])
        # if nothing sealed before has to be read, the key is created too
        if not (root / ".scaffold/undo").exists():
            shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(exist_ok=True)
        self._keys = everything(self._home)
        self._all = everything(root)
        self._before = people(self._all)
        self.calls: list[Call] = []
        self.wrong: list[str] = []
        self.runs = 0
        # in this process, so that everything is imported
        with watch.over(self.calls.append):
            code = command(root, case.arguments)
        assert code == case.code, code
        self._after = people(everything(root))
        assert self._after != self._before
        self.wrong += list(misordered(self.calls, root))
        self._restore()

    def stop_at(self, stops: Sequence[tuple[int, str]]) -> None:
        """Stop at calls, each by its number, in the way that is named with it."""
        planned = next(
            number
            for number, call in enumerate(self.calls, 1)
            if call.kind == "mkdir" and call.path.endswith("/.scaffold/txn")
        )
        self._stop_from(1, [each for each in stops if each[0] < planned])
        self._stop_from(planned, [each for each in stops if each[0] >= planned])

    def _stop_from(self, start: int, stops: Sequence[tuple[int, str]]) -> None:
        """Run the command up to a call, and let forks of it go on from there."""
        told, tell = os.pipe()
        numbers = itertools.count(1)

        def seen(call: Call) -> None:
            if next(numbers) != start:
                return
            _unlock(self._root)
            here = everything(self._root)
            for number, name in stops:
                child = os.fork()
                if child == 0:
                    stopping = Stopping(number, WAYS[name], start)
                    self._watch.seen = stopping
                    stopping.at_call(start, call)
                    return
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                self.runs += 1
                self._judge(number, name, code)
                restore(self._root, here)
                restore(self._home, self._keys)
            with open(tell, "w") as pipe:
                json.dump([self.runs, self.wrong], pipe)
            os._exit(0)

        def run() -> int:
            with self._watch.over(seen):
                return command(self._root, self._case.arguments)

        code = forked(run)
        os.close(tell)
        assert code == 0, code
        with open(told) as pipe:
            self.runs, self.wrong = json.load(pipe)
        self._restore()

    def _judge(self, number: int, name: str, code: int) -> None:
        """Compare what a stopped run left, before recovery and after it."""
        way = WAYS[name]
        how = f"{name} at {number} {self.calls[number - 1]}"
        now = people(everything(self._root))
        if way.stop is not kill:
            if code not in (self._case.code, *_REFUSED):
                self.wrong.append(f"{how}: exit code {code}")
            wanted = self._after if code == self._case.code else self._before
            if not way.stays and now != wanted:
                self.wrong.append(f"{how}: exit code {code}, {_unlike(now, wanted)}")
        elif code != -signal.SIGKILL:
            self.wrong.append(f"{how}: exit code {code}")
        if way.in_recovery:
            # the farther it came, the more recovery has to do
            for again in (1 + number * 7 % 61, 1 + number % 23):
                forked(lambda again=again: self._recover(again))  # type: ignore[misc]
        code = forked(self._recover)
        now = people(everything(self._root))
        if code or now not in (self._before, self._after):
            self.wrong.append(
                f"{how}: recovery {code}, neither before ({_unlike(now, self._before)}) "
                f"nor after ({_unlike(now, self._after)})"
            )
        if (self._root / ".scaffold/txn").exists():
            self.wrong.append(f"{how}: an open transaction")

    def _recover(self, at: int = 0) -> int:
        with self._watch.over(Stopping(at, WAYS["killed"])):
            recovery.recover(self._root)
        return 0

    def _restore(self) -> None:
        restore(self._root, self._all)
        restore(self._home, self._keys)


def _unlike(now: Files, wanted: Files) -> str:
    """The first files that differ."""
    unlike = [path for path in {*now, *wanted} if now.get(path) != wanted.get(path)]
    return ", ".join(sorted(unlike)[:3]) or "the same"


def _unlock(root: Path) -> None:
    """Give up the lock that this process holds, so that recovery can run beside it."""
    lock = str(root / ".scaffold/lock")
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if _whole(int(name)) == lock:
                fcntl.flock(int(name), fcntl.LOCK_UN)


def misordered(calls: Sequence[Call], root: Path) -> Iterator[str]:
    """Calls in an order that a power cut could turn into a mixture of before and after.

    A file is on the disk before it gets its name, the names of everything that is staged
    before the record, the record before the first file that people have, and the names of
    these before the transaction is put away.
    """
    state = f"{root}/.scaffold"
    txn = f"{state}/txn"
    inside = (f"{root}/", f"{os.environ['XDG_STATE_HOME']}/")
    unwritten: set[str] = set()
    unnamed: set[str] = set()
    is_committed = False
    for number, call in enumerate(calls, 1):
        kind, path, target = call
        if not f"{path}/".startswith(inside):
            continue
        end = target or path
        if kind in ("write", "ftruncate", "truncate"):
            unwritten.add(path)
        elif kind in ("fsync", "fdatasync"):
            unwritten.discard(path)
            unnamed.discard(path)
        is_commit = target == f"{txn}/commit"
        is_end = path == txn and kind == "rename"
        if kind in ("rename", "link") and path in unwritten:
            yield f"{call} at {number}: is not on the disk"
        if is_commit or is_end:
            for name in sorted(unnamed):
                yield f"{call} at {number}: {name} is not synced"
        is_move = kind in ("rename", "remove") and end.startswith(f"{root}/")
        is_move = is_move and not end.startswith((txn, f"{state}/undo"))
        if is_move and (not is_committed or txn in unnamed):
            yield f"{call} at {number}: the record is not on the disk"
        is_committed = (is_committed or is_commit) and not is_end
        if kind in ("rename", "link", "mkdir", "open", "remove", "rmdir"):
            unnamed.discard(path)
            # the record gets its name by being renamed
            if end.startswith(inside) and end not in (f"{state}/undo", f"{txn}/record"):
                unnamed.add(str(Path(end).parent))


def some_stops(count: int, wanted: int, first: int) -> list[tuple[int, str]]:
    """Calls at even distances, the ways in turn from the `first` one."""
    ways = itertools.islice(itertools.cycle(WAYS), first % len(WAYS), None)
    numbers = (1 + number * count // wanted for number in range(wanted))
    return list(zip(numbers, ways, strict=False))


def all_stops(count: int) -> list[tuple[int, str]]:
    """Every call in every way."""
    return [(number, name) for name in WAYS for number in range(1, count + 1)]


def _log(watch: Watch, root: Path, case: stopped.Case, file: str) -> None:
    """Run a command once, and write down the calls between two marks in a trace."""
    calls: list[Call] = []
    os.mkdir(f"{root.parent}/begin")
    with watch.over(calls.append):
        code = command(root, case.arguments)
    os.mkdir(f"{root.parent}/end")
    assert code == case.code, code
    inside = f"{root.parent}/"
    lines = [json.dumps(each) for each in calls if f"{each.path}/".startswith(inside)]
    Path(file).write_text("\n".join(lines))


def _stopped(watch: Watch, root: Path, name: str, stops: str) -> dict[str, Any]:
    """Stop a command; the report."""
    trial = Trial(watch, root, stopped.CASES[name])
    count = len(trial.calls)
    if stops == "all":
        trial.stop_at(all_stops(count))
    else:
        trial.stop_at(some_stops(count, int(stops), [*stopped.CASES].index(name)))
    kinds = Counter(call.kind for call in trial.calls)
    shown = {"total": count, "runs": trial.runs, "kinds": kinds, "wrong": trial.wrong}
    return {**shown, "unknown": sorted(watch.unknown)}


def _main(project: str, folder: str, stops: str, *names: str) -> None:
    sys.dont_write_bytecode = True  # every run makes the same calls
    watch = Watch()
    for name in names:
        case = stopped.CASES[name]
        os.environ["XDG_STATE_HOME"] = f"{folder}/{name}/state"
        root = Path(folder, name, "copy")
        root.parent.mkdir()
        case.prepare(Path(project), root, command)
        if stops.startswith("log="):
            _log(watch, root, case, stops.removeprefix("log="))
        else:
            print(json.dumps({"name": name, **_stopped(watch, root, name, stops)}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
