"""Services that deliver alerts, by configuration section."""

from runtime.integration import Service
from runtime.services.foo.service import Service as FooService
from runtime.services.hipchat.service import Service as HipChatService
from runtime.services.httppost.service import Service as HttpPostService

SERVICES: dict[str, type[Service]] = {
    "foo": FooService,
    "hipchat": HipChatService,
    "httppost": HttpPostService,
}
