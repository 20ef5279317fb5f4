"""`[connection]` of a spec, and its short form `tls = true`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffold.expressions.code import Code, Type
from scaffold.expressions.compiler import Scope
from scaffold.spec import keys
from scaffold.spec.model.requests import NO_CONNECTION, ConnectionSpec
from scaffold.spec.reader import Path, Reader
from scaffold.spec.values import Values

_PATH: Path = ("connection",)
TLS_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "ssl-ca": {
        "doc": "file of the authorities to trust instead of the system's, in PEM form."
    },
    "ssl-cert": {"doc": "file of the client's certificate, in PEM form."},
    "ssl-key": {"doc": "file of the private key of that certificate."},
    "insecure-skip-verify": {
        "type": "bool",
        "doc": "accepts any certificate of the endpoint.",
    },
}
"""The settings that `tls = true` adds: Kapacitor's."""
_TLS_CONNECTION = {
    "ca": "config.ssl_ca",
    "cert": ["config.ssl_cert", "config.ssl_key"],
    "verify": "not config.insecure_skip_verify",
}


def tls_settings(
    reader: Reader, handler: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, Any]:
    """`[config]` with the settings of `tls = true`."""
    if not handler.get("tls"):
        return dict(config)
    for key in TLS_SETTINGS.keys() & config.keys():
        problem = "is added by 'tls = true' of [handler]; remove one of them"
        reader.fault(("config", key), problem)
    return {**config, **TLS_SETTINGS}


def read_connection(
    reader: Reader,
    table: Mapping[str, Any],
    handler: Mapping[str, Any],
    of_files: Scope,
    of_requests: Scope,
) -> ConnectionSpec:
    """`[connection]`, with the additions of `tls = true` in `[handler]`.

    Args:
        reader: collects faults.
        table: the table.
        handler: `[handler]`.
        of_files: scope of the files, which are read when the configuration changes.
        of_requests: scope of the rest, which may differ from event to event.
    """
    given = reader.keys(table, _PATH, keys.CONNECTION)
    if handler.get("tls"):
        for key in _TLS_CONNECTION.keys() & table.keys():
            problem = "is set by 'tls = true' of [handler]; remove one of them"
            reader.fault((*_PATH, key), problem)
        given = {**_TLS_CONNECTION, **given}
    if not given:
        return NO_CONNECTION
    files, rest = Values(reader, of_files), Values(reader, of_requests)
    pair = given.get("cert", [])
    if pair and len(pair) != 2:
        problem = "must be two expressions, [certificate, key]"
        reader.fault((*_PATH, "cert"), problem)
        pair = []
    certificate, private = (
        _typed(reader, files, each, (*_PATH, "cert", index), Type.STR)
        for index, each in enumerate(pair or ("", ""))
    )
    return ConnectionSpec(
        _given(reader, files, given, "ca", Type.STR),
        certificate,
        private,
        _given(reader, rest, given, "verify", Type.BOOL),
        _given(reader, rest, given, "limit", Type.DURATION),
        _given(reader, rest, given, "proxy", Type.STR, Type.SECRET),
    )


def _given(
    reader: Reader, values: Values, table: Mapping[str, Any], key: str, *types: Type
) -> Code | None:
    return _typed(reader, values, table.get(key, ""), (*_PATH, key), *types)


def _typed(
    reader: Reader, values: Values, text: str, path: Path, *types: Type
) -> Code | None:
    """An expression of one of some types; None where there is none."""
    if not text:
        return None
    code = values.expression(text, path)
    if code.type not in types and not reader.has_failed(path):
        problem = f"is {code.type.noun}, but must be {types[0].noun}"
        reader.fault(path, problem)
    return code.revealed()
