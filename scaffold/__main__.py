"""python -m scaffold."""

import gc
import os
import sys

_REMEMBERED = {("check",): "check", ("regenerate", "--all"): "regenerate"}
"""The command lines whose verdicts are kept, each with its command."""


def main() -> None:
    """Run the command line, or answer at once that nothing changed."""
    # A run ends before garbage collection would pay off.
    gc.disable()
    command = _REMEMBERED.get(tuple(sys.argv[1:]))
    if command and _is_settled(command):
        return
    from scaffold import cli

    cli.main()


def _is_settled(command: str) -> bool:
    """Print a command's last findings, if they still hold; True if it does."""
    import time

    from scaffold.disk import verdicts

    started = time.perf_counter()
    lines = verdicts.here(command)
    if lines:
        from scaffold import statuses, terminal

        elapsed_s = time.perf_counter() - started
        has_colours = terminal.has_colours()
        for line in lines:
            shown = statuses.coloured(line) if has_colours else line
            terminal.to_stderr(statuses.timed(shown, elapsed_s))
    return bool(lines)


if __name__ == "__main__":
    # `python -m` puts the current folder first, which may have a `runtime` of its own
    home = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
    if not sys.flags.safe_path and sys.path[0] != home:
        del sys.path[0]
    main()
