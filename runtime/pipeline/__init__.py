"""Pipelines of scripts: nodes, their properties, and the nodes that may follow them."""
