"""The identity of a server: IDs that are created once."""

import os
import uuid
from pathlib import Path

import pytest

from runtime.errors import KapacitorError
from runtime.server.config.config import Config
from runtime.server.config.sections import HttpConfig
from runtime.server.identity import described, identity


@pytest.fixture
def config(tmp_path):
    return Config(hostname="here", data_dir=str(tmp_path / "data"))


def test_the_ids_stay_the_same(config):
    first = identity(config)
    assert first == identity(config)
    assert first.hostname == "here"
    assert len({uuid.UUID(first.cluster_id), uuid.UUID(first.server_id)}) == 2


@pytest.mark.parametrize(
    ("hostname", "http", "url"),
    [
        ("here", {}, "http://here:9092/kapacitor/v1"),
        ("::1", {"bind_address": ":80"}, "http://[::1]:80/kapacitor/v1"),
        (
            "kapacitor.example.com",
            {"bind_address": "0.0.0.0:443", "https_enabled": True},
            "https://kapacitor.example.com:443/kapacitor/v1",
        ),
    ],
)
def test_services_know_the_url_of_the_api(hostname, http, url):
    config = Config(hostname=hostname, http=HttpConfig(**http))
    server = described(config, lambda: 5)
    assert (server.url, server.hostname, server.clock()) == (url, hostname, 5)


def test_no_id_is_kept_in_part(config, monkeypatch):
    def crash(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", crash)
        with pytest.raises(KapacitorError) as raised:
            identity(config)
    assert str(raised.value) == f"{config.data_dir}/cluster.id: No space left on device"
    assert not Path(config.data_dir, "cluster.id").exists()
    assert uuid.UUID(identity(config).cluster_id)


@pytest.mark.parametrize("name", ["cluster.id", "server.id"])
def test_the_file_that_cannot_be_used_is_named(config, monkeypatch, name):
    Path(config.data_dir, name).mkdir(parents=True)
    with pytest.raises(KapacitorError) as raised:
        identity(config)
    assert str(raised.value) == f"{config.data_dir}/{name}: Is a directory"


def test_a_data_directory_that_is_a_file_is_named(config):
    Path(config.data_dir).touch()
    with pytest.raises(KapacitorError) as raised:
        identity(config)
    assert str(raised.value) == f"{config.data_dir}: File exists"
