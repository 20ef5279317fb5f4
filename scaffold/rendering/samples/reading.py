"""Answers of endpoints, as the generated code reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scaffold.rendering.samples.standins import Answer


@dataclass(frozen=True)
class Reading:
    """Reads answers as the generated code does.

    Attributes:
        service: the service.
        options: the options of the requests.
    """

    service: Any
    options: Any

    def failure(self, answer: Answer) -> str:
        """The error that the service makes of an answer that means failure."""
        return str(self._read("failure_with", answer))

    def accepts(self, answer: Answer) -> bool:
        """True if an answer means success."""
        return bool(self._read("accepts_with", answer))

    def retries(self, answer: Answer) -> bool:
        """True if an answer that means failure asks for another attempt."""
        return bool(self._read("retries", answer))

    def expires(self, answer: Answer) -> bool:
        """True if an answer means that a login has expired."""
        return bool(self._read("expires", answer))

    def wait_s(self, answer: Answer) -> float | None:
        """The time to wait that an answer asks for, in seconds."""
        made: float | None = self._read("wait_s", answer)
        return made

    def _read(self, method: str, answer: Answer) -> Any:
        return getattr(self.service, method)(self.service.config, self.options, answer)
