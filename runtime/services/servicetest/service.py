"""The API for sending a test message through each integration."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from runtime.errors import (
    ConfigError,
    FailedError,
    InvalidError,
    KapacitorError,
    NotFoundError,
    TooManyError,
)
from runtime.golang.glob import PatternError, match
from runtime.golang.json_decode import JsonError
from runtime.golang.quoting import quote
from runtime.services.httpd.messages import (
    BASE,
    Answer,
    Request,
    compact,
    self_link,
)
from runtime.services.httpd.router import Router
from runtime.services.servicetest.options import ignored, merged, shown

_PATH = f"{BASE}/service-tests"
# Time limit of a test, and maximum number of concurrent tests.
TEST_LIMIT_S = 10.0
TESTS_AT_ONCE = 4
# Maximum number of unknown options to list in a response.
_MOST_NAMED = 10


class Testable(Protocol):
    """A service that can be tested."""

    def test_options(self) -> Any:
        """The test's options as a dataclass, with the current defaults."""

    async def test(self, options: Any) -> None:
        """Send the test.

        Raises:
            DeliveryError: the test was not delivered.
        """


class ServiceTestService:
    """Lists and runs service tests, whose messages bypass the outbox."""

    def __init__(
        self, services: Mapping[str, Testable], *, limit_s: float = TEST_LIMIT_S
    ) -> None:
        """Create the service.

        Args:
            services: services that can be tested, by name.
            limit_s: time limit of a test, in seconds.
        """
        self._services = services
        self._limit_s = limit_s
        self._running = 0

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/service-tests", self._list)
        router.add("GET", "/service-tests/", self._show)
        router.add("POST", "/service-tests/", self._test)

    async def _list(self, request: Request) -> Answer:
        pattern = request.parameter("pattern")
        try:
            found = [
                self._shown(name)
                for name in sorted(self._services)
                if not pattern or match(pattern, name)
            ]
            # a malformed pattern is refused even if there are no services to match
            match(pattern, "")
        except PatternError as error:
            raise InvalidError(f"bad pattern: {error}") from None
        return compact({"link": self_link(_PATH), "services": found or None})

    async def _show(self, request: Request) -> Answer:
        name = request.rest.rstrip("/")
        self._check(name)
        return compact(self._shown(name))

    async def _test(self, request: Request) -> Answer:
        name = request.rest.rstrip("/")
        self._check(name)
        service = self._service(name)
        try:
            options = merged(
                request.body, service.test_options(), f"{name}.testOptions"
            )
        except JsonError as error:
            raise InvalidError(f"failed to decode JSON body:{error}") from None
        if self._running >= TESTS_AT_ONCE:
            text = f"{TESTS_AT_ONCE} service tests are running, try again later"
            raise TooManyError(text)
        self._running += 1
        try:
            problem = await self._problem(service, options)
        finally:
            self._running -= 1
        message = problem or _note(ignored(request.body, options))
        return compact({"success": not problem, "message": message})

    async def _problem(self, service: Testable, options: Any) -> str:
        """The error of a test; "" if it succeeded."""
        try:
            async with asyncio.timeout(self._limit_s):
                await service.test(options)
        except TimeoutError:
            return f"the test took longer than {self._limit_s:g} s"
        except KapacitorError as error:
            return str(error) or "the test failed"
        return ""

    def _check(self, name: str) -> None:
        """Refuse the name of no service.

        Raises:
            InvalidError: the name is empty.
            NotFoundError: there is no such service.
        """
        if not name:
            raise InvalidError("must provide service name")
        if name not in self._services:
            raise NotFoundError(f"service {quote(name)} not found")

    def _shown(self, name: str) -> dict[str, Any]:
        return {
            "link": self_link(f"{_PATH}/{name}"),
            "name": name,
            "options": shown(self._service(name).test_options()),
        }

    def _service(self, name: str) -> Testable:
        """A service by its name.

        Raises:
            FailedError: the service cannot be loaded.
        """
        try:
            return self._services[name]
        except ConfigError as error:
            raise FailedError(str(error)) from None


def _note(unknown: Sequence[str]) -> str:
    """The message of a successful test that ignored some options."""
    if not unknown:
        return ""
    names = ", ".join(unknown[:_MOST_NAMED])
    more = ", …" if len(unknown) > _MOST_NAMED else ""
    return f"ignored unknown options: {names}{more}"
