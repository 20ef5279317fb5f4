"""Values that cannot work, but are accepted because Kapacitor starts with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from runtime.lazy import given
from runtime.secrets.urls import is_url_name
from runtime.server.config.config import Config
from runtime.services.influxdb.config import Config as InfluxDBConfig
from runtime.services.urls import unreachable
from runtime.settings import key_of


def doubts(config: Config) -> Iterator[str]:
    """A warning for each unusable setting of an enabled cluster or handler."""
    for cluster in config.influxdb:
        if cluster.enabled:
            yield from _of_cluster(cluster, config)
    for name, value in given(config.handlers).items():
        for element in value if isinstance(value, tuple) else (value,):
            if getattr(element, "enabled", True):
                for key, problem in _urls(element):
                    yield f"[{name}] {key}: {problem}"


def _of_cluster(cluster: InfluxDBConfig, config: Config) -> Iterator[str]:
    for url in cluster.urls:
        if problem := unreachable(url):
            yield f"[influxdb] urls: {problem}"
    if cluster.http_shared_secret and not config.http.shared_secret:
        yield "[influxdb] http-shared-secret has no effect: [http] shared-secret is not set"


def _urls(element: Any) -> Iterator[tuple[str, str]]:
    for field in dataclasses.fields(element):
        key, url = key_of(field), getattr(element, field.name)
        # the URL of a template depends on the event
        is_known = isinstance(url, str) and url and "{{" not in url
        if is_known and is_url_name(key) and (problem := unreachable(url)):
            yield key, problem
