"""python -m scaffold."""

import gc
import sys


def main() -> None:
    """Run the command line, or answer at once that nothing changed."""
    # A run is over before collecting garbage could pay.
    gc.disable()
    if sys.argv[1:] == ["check"]:
        from scaffold import quick

        if quick.check():
            return
    from scaffold import cli

    cli.main()


if __name__ == "__main__":
    main()
