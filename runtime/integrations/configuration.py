"""Configuration sections and the classes of their values."""

from typing import Any

from runtime.services.foo.config import Config as FooConfig
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.services.httppost.config import Config as HttpPostConfig

SECTIONS: dict[str, type[Any]] = {
    "foo": FooConfig,
    "hipchat": HipChatConfig,
    "httppost": HttpPostConfig,
}
