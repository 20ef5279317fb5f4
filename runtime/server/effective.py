"""The effective configuration: what file, environment and flags make of the defaults."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from runtime.errors import ConfigError
from runtime.server.config import Config, demo_config
from runtime.server.config_file import Loaded, dump, find, read
from runtime.server.environment import apply
from runtime.server.world import World

_HINT = (
    "To generate a valid configuration file run "
    "`kapacitord config > kapacitor.generated.conf`."
)


def load(flags: Mapping[str, str], world: World, *, merge: bool = False) -> Loaded:
    """The configuration from file, environment and flags; not validated yet.

    Args:
        flags: `config` and `hostname` matter.
        world: where files and environment are.
        merge: lay the file over the built-in demo values instead of plain defaults.

    Raises:
        ConfigError: file or environment are wrong.
    """
    home = Path(world.home)
    path = find(flags.get("config", ""), world.environ, home, Path(world.etc))
    if path is None:
        print("No configuration provided, using default settings", file=sys.stderr)
        loaded = Loaded(demo_config(home))
    else:
        doing = "Merging with" if merge else "Using"
        print(f"{doing} configuration at: {path}", file=sys.stderr)
        loaded = read(path, demo_config(home) if merge else Config())
    config = apply(loaded.config, world.environ)
    if name := flags.get("hostname"):
        config.hostname = name
    return Loaded(config, loaded.warnings)


def validate(config: Config) -> None:
    """Check a configuration.

    Raises:
        ConfigError: it is wrong; the text says how to get a right one.
    """
    try:
        config.validate()
    except ConfigError as error:
        raise ConfigError(f"{error}. {_HINT}") from None


def show(flags: Mapping[str, str], world: World) -> None:
    """Print the configuration as TOML.

    Raises:
        ConfigError: it is wrong.
    """
    loaded = load(flags, world, merge=True)
    for warning in loaded.warnings:
        print(warning, file=sys.stderr)
    validate(loaded.config)
    print(dump(loaded.config), end="")
