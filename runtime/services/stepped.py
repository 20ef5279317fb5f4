"""Base of the services that send several requests for one event."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import msgspec

from runtime.alert.scrubbing import scrubbed_event
from runtime.alert.types import Event, Level
from runtime.errors import DeliveryError
from runtime.outbound.client import Request, Response
from runtime.outbound.idempotency import idempotency_key, keyed
from runtime.outbound.journal import Journal, Notebook, journal
from runtime.secrets import redact
from runtime.secrets.answers import tokens_in
from runtime.services.expressions import recalling
from runtime.services.service import (
    ConfigT,
    HttpService,
    InForce,
    OptionsT,
    TestT,
    prefixed,
    without_credentials,
)
from runtime.services.shared_answers import SharedAnswers

NO_ANSWER = Response(0)
"""The answer of a step that was not sent; nothing can be read from it."""
# statuses that concern all recipients, as does an expired login
_OF_ALL = frozenset((403, 429, 503))
_MOST_RECIPIENTS = 1000
_NOTHING: tuple[object, ...] = ("", None)
# maximum size of a memory, which is meant for ids and times, not for documents
_MEMORY_BYTES = 16 * 1024

_log = logging.getLogger("kapacitor.delivery")


def _any(response: Response) -> bool:
    return True


class Step(NamedTuple):
    """A request whose answer later requests use.

    Attributes:
        name: name of the step, unique in the service.
        request: the request.
        keep_s: time for which all deliveries share its answer, in seconds; 0 to send it
            once for each delivery.
        is_login: True if the answer is a credential, which expires.
        accepts: True for an answer that means success; its status must also be 200 to
            299.
    """

    name: str
    request: Request
    keep_s: float = 0.0
    is_login: bool = False
    accepts: Callable[[Response], bool] = _any


class Addressed(NamedTuple):
    """A request that delivers an event to one of several recipients.

    Attributes:
        to: the recipient: a string, a number or a record.
        request: the request.
    """

    to: object
    request: Request


Requests = Generator[Step | Addressed | Request, Response, None]
"""The requests of an event in order: steps, and requests that deliver it."""


class Progress(msgspec.Struct):
    """The parts of a delivery that succeeded.

    Attributes:
        answers: status and body of the answers to steps, by the steps' names.
        received: digests of the recipients that received the event.
        is_done: True if the whole delivery succeeded.
    """

    answers: dict[str, tuple[int, bytes]] = {}
    received: list[str] = []
    is_done: bool = False


class SteppedService(HttpService[ConfigT, OptionsT, TestT]):
    """A service that sends several requests for one event.

    A step that succeeded is not repeated, neither when the delivery is retried nor
    after a restart. A subclass yields its requests in order; each `yield` of a step
    returns its answer.

    Attributes:
        remembers: True to remember values of answers until the alert is over.
    """

    remembers: ClassVar[bool] = False

    @abstractmethod
    def requests(self, config: ConfigT, options: OptionsT, event: Event) -> Requests:
        """Yield the requests that deliver `event`, in order.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """

    def remembered(
        self, config: ConfigT, options: OptionsT, response: Response
    ) -> Mapping[str, object]:
        """The values of an answer that requests for later events of the alert need."""
        return {}

    def values_of(
        self, config: ConfigT, options: OptionsT, response: Response
    ) -> Mapping[str, object]:
        """The values of an answer to remember; none if it cannot be read."""
        # the event is delivered: no error may cause another attempt
        usual: Mapping[str, object] = {}
        return self._read(response, usual, self.remembered, config, options, response)

    def request(
        self, config: ConfigT, options: OptionsT, event: Event
    ) -> Request | None:
        """The first request for `event`; None if there is nothing to send.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """
        with contextlib.closing(self.requests(config, options, event)) as requests:
            first = next(requests, None)
        return first.request if isinstance(first, (Step, Addressed)) else first

    @cached_property
    def shared(self) -> SharedAnswers:
        """Answers that deliveries share."""
        return SharedAnswers()

    async def close(self) -> None:
        """Stop the service."""
        await super().close()
        await self.shared.close()

    async def deliver(
        self, current: InForce[ConfigT], options: OptionsT, event: Event
    ) -> bool:
        """Send the requests for `event`; False if there are none.

        If an answer reports an expired login, logins are renewed, once.

        Raises:
            DeliveryError: the event was not delivered.
        """
        record = journal.get() or Notebook()
        course = _Course(self, current, options, record)
        await course.open()
        if course.is_done:
            # delivered before, but the process ended before the row was deleted
            return True
        try:
            return await course.run(event)
        except DeliveryError as error:
            if not error.expired or not await course.forget_logins():
                raise
        return await course.run(event)


class _Course:
    """The requests of one attempt.

    Args:
        service: the service.
        current: its configuration in force.
        options: the options of the handler.
        record: the journal of the delivery.
    """

    def __init__(
        self,
        service: SteppedService[Any, Any, Any],
        current: InForce[Any],
        options: Any,
        record: Journal,
    ) -> None:
        self._service = service
        self._current = current
        self._options = options
        self._record = record
        self._progress = Progress()
        self._memory: dict[str, Any] = {}
        # answers of the logins in use, with True if this attempt requested them
        self._logins: dict[str, tuple[Response, bool]] = {}
        self._answers: list[Response] = []
        # errors of the recipients that refused the event
        self._failures: list[DeliveryError] = []

    @property
    def is_done(self) -> bool:
        """True if an earlier attempt delivered the event."""
        return self._progress.is_done

    async def open(self) -> None:
        """Read the progress of earlier attempts, and the memory of the alert."""
        # decoded without checks: only this class writes them, and they are sealed
        if noted := await self._record.progress():
            self._progress = msgspec.msgpack.decode(noted, type=Progress)
        if self._service.remembers and (known := await self._record.memory()):
            self._memory = msgspec.json.decode(known)

    async def run(self, event: Event) -> bool:
        """Send the requests that were not sent before; False if there are none."""
        try:
            answers = await self._run(event)
        except UnicodeEncodeError:
            # JSON turns invalid characters into U+FFFD; forms and paths need a clean
            # event
            answers = await self._run(scrubbed_event(event))
        if self._service.remembers:
            await self._remember(event, answers)
        return bool(answers)

    async def forget_logins(self) -> bool:
        """Forget the logins in use; True if one of them is older than the attempt."""
        if not self._logins:
            return False
        is_old = not all(is_new for _, is_new in self._logins.values())
        for name, (answer, _) in self._logins.items():
            self._service.shared.drop(answer)
            self._progress.answers.pop(name, None)
        self._logins.clear()
        await self._note()
        return is_old

    async def _remember(self, event: Event, answers: Sequence[Response]) -> None:
        """Add the values of answers to the memory; forget it at the end of the alert."""
        memory = dict(self._memory)
        for answer in answers:
            found = self._service.values_of(self._current.config, self._options, answer)
            # keep the first value: a later message is part of the thread of the first
            # one
            memory |= {
                key: value
                for key, value in found.items()
                if value not in _NOTHING and memory.get(key) in _NOTHING
            }
        if event.state.level == Level.OK:
            memory = {}
        if memory == self._memory:
            return
        encoded = msgspec.json.encode(memory) if memory else b""
        if len(encoded) > _MEMORY_BYTES:
            _log.error(
                "failed to remember an answer: it is too long",
                extra={"handler": self._service.kind, "bytes": len(encoded)},
            )
            return
        self._progress.is_done = True
        await self._record.remember(encoded, msgspec.msgpack.encode(self._progress))

    async def _run(self, event: Event) -> list[Response]:
        """The answers to the requests that deliver an event."""
        service, config = self._service, self._current.config
        answers: list[Response] = []
        self._failures.clear()
        recipients = 0
        answer: Response | None = None
        requests = service.requests(config, self._options, event)
        with contextlib.closing(requests):
            while True:
                with prefixed(service.prepare_error), recalling(self._memory):
                    following = _following(requests, answer)
                match following:
                    case None:
                        if self._failures:
                            raise _together(self._failures, recipients)
                        return answers
                    case Addressed():
                        recipients += 1
                        if recipients > _MOST_RECIPIENTS:
                            text = f"more than {_MOST_RECIPIENTS} recipients"
                            raise DeliveryError(text)
                        answer = await self._deliver_to(following)
                        answers.append(answer)
                    case Step():
                        answer = await self._step(following)
                    case Request():
                        answer = await self._deliver(following)
                        answers.append(answer)

    async def _step(self, step: Step) -> Response:
        """The answer to a step, perhaps an earlier one."""
        with self._hidden(step.request):
            answer, is_new = await self._answer(step)
        if step.is_login or step.keep_s:
            self._logins[step.name] = answer, is_new
        self._answers.append(answer)
        return answer

    async def _answer(self, step: Step) -> tuple[Response, bool]:
        if step.keep_s:
            # without a key, as other deliveries use the answer too
            async def send() -> Response:
                return await self._sent(step, "")

            return await self._service.shared.get(step.request, step.keep_s, send)
        known = self._progress.answers.get(step.name)
        if known is not None:
            return Response(*known), False
        answer = await self._sent(step, key_of(step.name))
        self._progress.answers[step.name] = answer.status, answer.body
        await self._note()
        return answer, True

    async def _sent(self, step: Step, key: str) -> Response:
        """The answer to the request of a step.

        Raises:
            DeliveryError: there was no answer, or it means failure.
        """
        service, config = self._service, self._current.config
        with prefixed(step.name), keyed(key):
            answer = await service.exchange(self._current, self._options, step.request)
            by_status = 200 <= answer.status < 300
            service.judge(
                config,
                self._options,
                answer,
                by_status,
                lambda *_: by_status and step.accepts(answer),
            )
        return answer

    async def _deliver(self, request: Request) -> Response:
        """The answer to a request that delivers the event."""
        service = self._service
        with self._hidden(request):
            answer = await service.exchange(self._current, self._options, request)
            service.check(self._current.config, self._options, answer)
        return answer

    async def _deliver_to(self, addressed: Addressed) -> Response:
        """The answer of a recipient; none if it has the event already, or refuses it.

        Raises:
            DeliveryError: the other recipients would not receive it either.
        """
        recipient = hashlib.sha256(repr(addressed.to).encode()).hexdigest()[:16]
        if recipient in self._progress.received:
            return NO_ANSWER
        try:
            with keyed(key_of(recipient)):
                answer = await self._deliver(addressed.request)
        except DeliveryError as error:
            if error.status is None or error.expired or error.status in _OF_ALL:
                raise
            self._failures.append(error)
            return NO_ANSWER
        self._progress.received.append(recipient)
        await self._note()
        return answer

    async def _note(self) -> None:
        await self._record.note(msgspec.msgpack.encode(self._progress))

    @contextlib.contextmanager
    def _hidden(self, request: Request) -> Iterator[None]:
        """Hide credentials in errors, including those in answers to steps."""
        try:
            yield
        except DeliveryError as error:
            # any string in an answer may be a token
            secrets = [x for each in self._answers for x in tokens_in(each.json)]
            text = redact(str(without_credentials(error, request)), secrets)
            raise error.replace(text) from None


def _together(failures: Sequence[DeliveryError], recipients: int) -> DeliveryError:
    """One error for several recipients: the first temporary one, or else the first."""
    first = next((each for each in failures if each.retry), failures[0])
    if recipients == 1:
        return first
    return first.replace(f"{len(failures)} of {recipients} recipients: {first}")


def _following(
    requests: Requests, answer: Response | None
) -> Step | Addressed | Request | None:
    """The request after an answer, or None."""
    try:
        return next(requests) if answer is None else requests.send(answer)
    except StopIteration:
        return None


def key_of(part: str) -> str:
    """The key of a step, or of the request to one recipient.

    An endpoint must not mistake these requests for repetitions of each other.
    """
    text = f"{idempotency_key.get()}/{part}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
