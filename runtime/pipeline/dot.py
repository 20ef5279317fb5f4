"""A pipeline as a graph in the DOT language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runtime.pipeline.node import Edge, Node, Pipeline


def dot(pipeline: Pipeline, name: str) -> str:
    """The graph of a pipeline that does not run.

    Source: Kapacitor pipeline/pipeline.go, Dot.
    """
    edges = [
        f"{node.name} -> {child.name};\n"
        for node in pipeline.sorted()
        for child in node.children
    ]
    return f"digraph {name} {{\n{''.join(edges)}}}"


def running_dot(
    pipeline: Pipeline,
    name: str,
    *,
    throughput: float,
    stats: Mapping[str, Mapping[str, object]],
    processed: Callable[[Node, int], int],
    labels: bool = False,
) -> str:
    """The graph of a running pipeline, with what its nodes count.

    Args:
        pipeline: the pipeline.
        name: the task's id.
        throughput: points (batches, in a batch task) per second.
        stats: by node name what is shown of each node, values as they are printed.
        processed: how many points a node has sent to its n-th child.
        labels: as labels to be seen, not as attributes to be read.

    Source: Kapacitor task.go, EDot, and node.go, edot.
    """
    unit = "points" if pipeline.source.provides is Edge.STREAM else "batches"
    rate = f"{throughput:.2f} {unit}/s"
    lines = [f"digraph {name} {{\n"]
    if labels:
        lines.append(
            f'graph [label="Throughput: {rate}" forcelabels=true pad="0.8,0.5"];\n'
        )
    else:
        lines.append(f'graph [throughput="{rate}"];\n')
    attribute = "label" if labels else "processed"
    for node in pipeline.sorted():
        shown = sorted(stats.get(node.name, {}).items())
        lines.append(f"\n{node.name} [{_stats(shown, labels=labels)}];\n")
        for index, child in enumerate(node.children):
            count = processed(node, index)
            value = f"processed={count}" if labels else str(count)
            lines.append(f'{node.name} -> {child.name} [{attribute}="{value}"];\n')
    return "".join(lines) + "}"


def _stats(shown: Sequence[tuple[str, object]], *, labels: bool) -> str:
    if labels:
        # Graphviz reads a literal \r as the end of a line that is set flush right.
        return 'xlabel="' + r"\r".join(f"{k}={v}" for k, v in shown) + '"'
    return "".join(f'{key}="{value}" ' for key, value in shown)
