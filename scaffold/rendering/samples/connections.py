"""Settings of connections in the generated tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from runtime.outbound.connection import Certificates, Connection
from scaffold.expressions.code import Type
from scaffold.rendering.samples.search import Search, reads
from scaffold.rendering.samples.trial import Trial
from scaffold.rendering.samples.values import Seat, Values, sample_value
from scaffold.spec.model.handler import HandlerSpec


class Connected(NamedTuple):
    """Values, and the settings of the connection that they give."""

    values: Values
    connection: Connection


class Certified(NamedTuple):
    """Values with files of certificates, and the files that the service reads."""

    values: Values
    certificates: Certificates


def connected(
    spec: HandlerSpec, trial: Trial, search: Search, usual: Values
) -> Iterator[Connected]:
    """The usual values, and for each value that a connection depends on, a variant.

    Args:
        spec: the handler.
        trial: its generated code.
        search: source of candidates for its values.
        usual: the values that its tests use otherwise.
    """
    codes = list(spec.connection.settings().values())
    if not codes:
        return
    plain = trial.connection(usual.config, usual.options)
    yield Connected(usual, plain)
    nodes = [each.node for each in codes]
    read = frozenset[str]().union(*(each.reads for each in codes))
    options = [
        ("option", each.key) for each in spec.options if f"opt.{each.key}" in read
    ]
    for seat in dict.fromkeys([*search.seats(nodes), *options]):
        field = search.field(seat)
        tried = [sample_value(field, "other"), *search.candidates(seat, usual, nodes)]
        for value in tried:
            values = usual.having(seat, value)
            made = trial.connection(values.config, values.options)
            if made != plain and search.may_be(seat, value, usual):
                yield Connected(values, made)
                break


def certified(spec: HandlerSpec, trial: Trial, usual: Values) -> Certified | None:
    """Values in which each file of certificates is given; None if there are none."""
    codes = spec.connection.files().values()
    if not codes:
        return None
    keys = sorted({key for code in codes for key in reads(spec, code)})
    fields = {each.key: each for each in spec.config}
    changes: list[tuple[Seat, str]] = [
        (("config", key), f"missing/{key}.pem")
        for key in keys
        if isinstance(fields[key].type.empty, str)
    ]
    values = usual.changed(changes)
    made = trial.certificates(values.config)
    if sum(map(bool, made[:3])) < len(codes):
        # a switch decides whether the files are used
        switches = [key for key in keys if fields[key].type.base is Type.BOOL]
        values = values.changed(
            (("config", key), not values.config[key]) for key in switches
        )
        made = trial.certificates(values.config)
    return Certified(values, made)
