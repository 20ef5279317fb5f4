"""python -m scaffold."""

import sys


def main() -> None:
    """Run the command line, or answer at once that nothing changed."""
    if sys.argv[1:] == ["check"]:
        from scaffold import quick

        if quick.check():
            return
    from scaffold import cli

    cli.main()


if __name__ == "__main__":
    main()
