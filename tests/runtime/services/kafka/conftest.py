"""Tests with a real broker run where they are asked for."""

import pytest


def pytest_collection_modifyitems(config, items):
    if "broker" in config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="takes half a minute: run with -m broker")
    for item in items:
        if item.get_closest_marker("broker"):
            item.add_marker(skip)
