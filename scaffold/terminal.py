"""The standard streams: the only module that prints, and asks.

The quick answer of `check` prints through it, so that it imports next to nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys

TYPE_CHECKING = False  # as in `typing`, which costs as much as half of Python's start
if TYPE_CHECKING:
    from typing import TextIO


def is_watched() -> bool:
    """True if a person is at the terminal, and can be asked."""
    streams = (sys.stdin, sys.stderr)
    is_terminal = all(stream is not None and stream.isatty() for stream in streams)
    return is_terminal and not os.environ.get("CI")


def has_colours() -> bool:
    """True if messages go to a terminal, and NO_COLOR is not set."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return is_terminal and "NO_COLOR" not in os.environ


def to_stdout(text: str) -> None:
    """Print data: bytes as they are, but nothing that a terminal would obey.

    Raises:
        OSError: it cannot be printed.
    """
    stream = sys.stdout
    if stream is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if stream.isatty():
        from scaffold.escaping import escaped_lines

        text = escaped_lines(text)
    try:
        stream.flush()
        stream.buffer.write(text.encode("utf-8", "surrogateescape"))
        stream.flush()
    except OSError:
        _give_up(stream)
        raise


def patch_to_stdout(text: str, *, colour: bool) -> None:
    """Print a patch: in a terminal in colors, and through a pager if it is long.

    Raises:
        OSError: it cannot be printed.
    """
    stream = sys.stdout
    if stream is None or not stream.isatty():
        to_stdout(text)
        return
    from scaffold.escaping import escaped_lines

    shown = escaped_lines(text)
    if colour:
        shown = "\n".join(map(_coloured, shown.split("\n")))
    import shutil

    if is_watched() and shown.count("\n") >= shutil.get_terminal_size().lines:
        import click

        click.echo_via_pager(shown, color=colour)
    else:
        stream.write(shown)
        stream.flush()


def _coloured(line: str) -> str:
    """A line of a patch in its color."""
    headings = ("diff ", "--- ", "+++ ", "new file", "deleted file")
    if line.startswith(headings):
        return f"\x1b[1m{line}\x1b[0m"
    code = {"+": 32, "-": 31, "@": 36}.get(line[:1])
    return f"\x1b[{code}m{line}\x1b[0m" if code else line


def to_stderr(text: str, end: str = "\n") -> None:
    """Print for people; a closed stream is ignored."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        stream.write(text + end)
        stream.flush()
    except OSError:
        _give_up(stream)


def answer() -> str | None:
    """The line that a person types, without its end; None at the end of the input."""
    line = sys.stdin.buffer.readline()
    return line.decode(errors="replace").strip() if line else None


def give_up_output() -> None:
    """Stop printing data after the reader has gone."""
    if sys.stdout is not None:
        _give_up(sys.stdout)


def print_traceback() -> None:
    """Print the error that is being handled as Python does: it is a bug."""
    if sys.stderr is not None:
        sys.excepthook(*sys.exc_info())


def _give_up(stream: TextIO) -> None:
    """Replace a stream that cannot be written; otherwise Python exits with 120."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
