"""python -m scaffold."""

import gc
import os
import sys


def main() -> None:
    """Run the command line, or answer at once that nothing changed."""
    # A run is over before collecting garbage could pay.
    gc.disable()
    if sys.argv[1:] == ["check"] and _is_settled():
        return
    from scaffold import cli

    cli.main()


def _is_settled() -> bool:
    """Print the verdict of `check` if it is known; True if it was."""
    import time

    from scaffold.disk import verdicts

    started = time.perf_counter()
    verdict = verdicts.here()
    if verdict:
        from scaffold import terminal

        elapsed_s = time.perf_counter() - started
        terminal.to_stderr(f"{'done':>12} {verdict} in {elapsed_s:.2f} s")
    return bool(verdict)


if __name__ == "__main__":
    # `python -m` puts the project's folder first, whose own `runtime` must not be ours
    home = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
    if not sys.flags.safe_path and sys.path[0] != home:
        del sys.path[0]
    main()
