"""The effective configuration: defaults, file, environment and flags."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from runtime.errors import ConfigError
from runtime.integration import Integrations
from runtime.secrets.names import HIDDEN
from runtime.server.config.absent import judged
from runtime.server.config.config import Config, demo_config
from runtime.server.config.doubts import doubts
from runtime.server.config.environment import apply, doubtful_names
from runtime.server.config.file import Loaded, find, present, read
from runtime.server.config.text import dump, hides_secrets
from runtime.server.process_environment import ProcessEnvironment

_HINT = (
    "To generate a valid configuration file run "
    "`kapacitord config > kapacitor.generated.conf`."
)

_HIDDEN_HINT = (
    f"{HIDDEN} hides secrets. A server does not start with it: write the secrets or "
    "references to them, or print them with -show-secrets."
)


def load(
    flags: Mapping[str, str],
    environment: ProcessEnvironment,
    integrations: Integrations,
    *,
    complete: bool = False,
) -> Loaded:
    """The configuration from file, environment and flags, not validated.

    Args:
        flags: command-line flags; `config`, `hostname` and `lenient` are used.
        environment: home, system directory and environment.
        integrations: available handlers.
        complete: True to use the built-in data directory if none is set.

    Raises:
        ConfigError: the file or the environment is invalid, or a handler is enabled
            that this server does not have; with `-lenient` the latter is a warning.
    """
    home = Path(environment.home)
    path = find(
        flags.get("config", ""), environment.environ, home, Path(environment.etc)
    )
    if path is None:
        print("No configuration provided, using default settings", file=sys.stderr)
        loaded = Loaded(demo_config(home, integrations.tables()))
    else:
        doing = "Merging with" if complete else "Using"
        print(f"{doing} configuration at: {path}", file=sys.stderr)
        loaded = read(path, integrations)
    config = apply(loaded.config, environment.environ)
    if name := flags.get("hostname"):
        config.hostname = name
    warnings = list(loaded.warnings)
    if complete and not config.data_dir:
        config.data_dir = demo_config(home, {}).data_dir
        warnings.append(
            f"data_dir is not set, and required: {config.data_dir} is shown"
        )
    judgement = judged(loaded.absent, environment.environ, present(config))
    if judgement.faults and "lenient" not in flags:
        raise ConfigError("\n".join(judgement.faults))
    warnings += judgement.warnings + judgement.faults
    rest = {
        name: value
        for name, value in environment.environ.items()
        if name not in judgement.variables
    }
    warnings += doubtful_names(config, rest)
    warnings += doubts(config)
    return Loaded(config, tuple(warnings))


def validate(config: Config) -> None:
    """Check a configuration.

    Raises:
        ConfigError: it is invalid; the text explains how to correct it.
    """
    try:
        config.validate()
    except ConfigError as error:
        raise ConfigError(f"{error}. {_HINT}") from None


def show(
    flags: Mapping[str, str],
    environment: ProcessEnvironment,
    integrations: Integrations,
    warnings: Iterable[str] = (),
) -> None:
    """Print the configuration as TOML; secrets only with the flag `show-secrets`.

    Raises:
        ConfigError: the configuration is invalid.
    """
    loaded = load(flags, environment, integrations, complete=True)
    reveal = "show-secrets" in flags
    for warning in (*warnings, *loaded.warnings):
        print(warning, file=sys.stderr)
    validate(loaded.config)
    if not reveal and hides_secrets(loaded.config):
        print(_HIDDEN_HINT, file=sys.stderr)
    print(dump(loaded.config, reveal=reveal), end="")
