"""`define-topic-handler`: a handler from a file."""

from __future__ import annotations

from runtime.client.api import Api
from runtime.client.errors import UsageError
from runtime.client.files import read_mapping

USAGE = {
    "define-topic-handler": """Usage: kapacitor define-topic-handler <path to handler file>

    Create or replace a handler of a topic. The file is YAML or JSON:

        topic: cpu
        id: cpu-to-chat
        kind: hipchat
        match: level() == CRITICAL
        options:
          room: 'alerts'
"""
}
_KEYS = ("id", "kind", "options", "match")


def define_topic_handler(api: Api, arguments: list[str]) -> None:
    """Create or replace the handler that a file describes.

    Raises:
        CommandError: the file cannot be read, or the server refuses.
    """
    if len(arguments) != 1:
        raise UsageError("Must provide a path to a handler file.")
    spec = read_mapping(arguments[0], "handler spec file", ("topic", *_KEYS))
    topic = spec.get("topic") or ""
    body = {key: spec[key] for key in _KEYS if spec.get(key) is not None}
    body.setdefault("id", "")
    # without a topic, the path names the topic `handlers`
    handlers = (
        f"/alerts/topics/{topic}/handlers" if topic else "/alerts/topics/handlers"
    )
    if body["id"] and api.exists(f"{handlers}/{body['id']}"):
        api.send("PUT", f"{handlers}/{body['id']}", body)
    else:
        api.post(handlers, body)


COMMANDS = {"define-topic-handler": define_topic_handler}
