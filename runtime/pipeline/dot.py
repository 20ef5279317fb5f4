"""A pipeline as a graph in the DOT language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runtime.pipeline.node import Edge, Node, Pipeline
from runtime.pipeline.source import BatchNode


def dot(pipeline: Pipeline, name: str) -> str:
    """The graph of a pipeline that does not run.

    Source: Kapacitor pipeline/pipeline.go, Dot.
    """
    edges = [
        f"{node.name} -> {child.name};\n"
        for node in _drawn(pipeline)
        for child in node.children
    ]
    return f"digraph {name} {{\n{''.join(edges)}}}"


def running_dot(
    pipeline: Pipeline,
    name: str,
    *,
    throughput: float,
    stats: Callable[[Node], Mapping[str, str]],
    processed: Callable[[Node], int],
    labels: bool = False,
) -> str:
    """The graph of a running pipeline, with the counters of its nodes.

    Args:
        pipeline: the pipeline.
        name: the task's id.
        throughput: points (batches, in a batch task) per second.
        stats: the counters of a node as they are printed.
        processed: number of points or batches that a node has sent to each child.
        labels: True for visible labels, False for machine-readable attributes.

    Source: Kapacitor task.go, link and EDot, and node.go, edot.
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
    places = {id(node): place for place, node in enumerate(pipeline.sorted())}
    for node in _drawn(pipeline):
        shown = sorted(stats(node).items())
        lines.append(f"\n{node.name} [{_stats(shown, labels=labels)}];\n")
        count = processed(node)
        edge = f'label="processed={count}"' if labels else f'processed="{count}"'
        # a running node has its children in the order of their creation
        for child in sorted(node.children, key=lambda each: places[id(each)]):
            lines.append(f"{node.name} -> {child.name} [{edge}];\n")
    return "".join(lines) + "}"


def _drawn(pipeline: Pipeline) -> Sequence[Node]:
    """The nodes to draw: without `batch`, as nothing flows from it to its queries."""
    return [node for node in pipeline.sorted() if not isinstance(node, BatchNode)]


def _stats(shown: Sequence[tuple[str, str]], *, labels: bool) -> str:
    if labels:
        # In Graphviz a literal \r ends a line, and aligns it to the right.
        return 'xlabel="' + r"\r".join(f"{k}={v}" for k, v in shown) + '"'
    return "".join(f'{key}="{value}" ' for key, value in shown)
