"""A task as a graph in the DOT language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from runtime.units import go_duration

# shown on the edges instead
_FLOW = frozenset(("collected", "emitted"))


class Named(Protocol):
    """A node of a pipeline."""

    @property
    def name(self) -> str:
        """Its kind and number."""

    @property
    def children(self) -> Sequence[Named]:
        """Where its data goes."""


class Running(Protocol):
    """A node that runs."""

    @property
    def name(self) -> str:
        """Its kind and number."""

    @property
    def children(self) -> Sequence[Running]:
        """Where its data goes."""

    def stats(self) -> Mapping[str, Any]:
        """Its counters."""


def pipeline_dot(name: str, nodes: Sequence[Named]) -> str:
    """What a script says.

    Source: Kapacitor pipeline/pipeline.go, Pipeline.Dot.
    """
    edges = "".join(
        f"{node.name} -> {child.name};\n" for node in nodes for child in node.children
    )
    return f"digraph {name} {{\n{edges}}}"


def running_dot(
    name: str, nodes: Sequence[Running], *, unit: str, labels: bool = False
) -> str:
    """What runs, with its counters.

    Args:
        name: the task.
        nodes: in the order of the script.
        unit: what flows: `points` or `batches`.
        labels: show the counters as labels instead of attributes.

    Source: Kapacitor task.go, ExecutingTask.EDot.
    """
    throughput = f"0.00 {unit}/s"
    if labels:
        head = (
            f'graph [label="Throughput: {throughput}" forcelabels=true pad="0.8,0.5"];'
        )
    else:
        head = f'graph [throughput="{throughput}"];'
    body = "\n".join(
        "".join(f"{line}\n" for line in _node(node, labels)) for node in nodes
    )
    return f"digraph {name} {{\n{head}\n\n{body}}}"


def _node(node: Running, labels: bool) -> Iterator[str]:
    stats = {
        key: go_duration(value) if key.endswith("_ns") else str(value)
        for key, value in sorted(node.stats().items())
        if key not in _FLOW
    }
    if labels:
        text = "\\r".join(f"{key}={value}" for key, value in stats.items())
        yield f'{node.name} [xlabel="{text}"];'
    else:
        text = " ".join(f'{key}="{value}"' for key, value in stats.items())
        yield f"{node.name} [{text} ];"
    for child in node.children:
        count = child.stats().get("collected", 0)
        shown = f'label="processed={count}"' if labels else f'processed="{count}"'
        yield f"{node.name} -> {child.name} [{shown}];"
