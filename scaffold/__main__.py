"""python -m scaffold."""

import gc
import sys


def main() -> None:
    """Run the command line, or answer at once that nothing changed."""
    # A run is over before collecting garbage could pay.
    gc.disable()
    if sys.argv[1:] == ["check"]:
        from scaffold import check_cache

        if check_cache.check():
            return
    from scaffold import cli

    cli.main()


if __name__ == "__main__":
    # `python -m` puts the project's folder first, whose own `runtime` must not be ours
    home = __file__.removesuffix("/scaffold/__main__.py")
    if not sys.flags.safe_path and sys.path[0] != home:
        del sys.path[0]
    main()
