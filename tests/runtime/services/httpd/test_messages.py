"""Errors as answers."""

from __future__ import annotations

import pytest

from runtime.errors import (
    BusyError,
    ConflictError,
    CredentialsError,
    FailedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RefusedError,
    StoreFullError,
    TaskError,
    TooLargeError,
    TooManyError,
)
from runtime.services.alert.routes import CycleError
from runtime.services.httpd.messages import STATUSES, answer_to, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidError("x"), 400),
        (CycleError(["a", "a"]), 400),
        (CredentialsError("x"), 401),
        (ForbiddenError("x"), 403),
        (NotFoundError("x"), 404),
        (ConflictError("x"), 409),
        (TooLargeError("x"), 413),
        (TooManyError("x"), 429),
        (FailedError("x"), 500),
        (TaskError("x"), 500),
        (BusyError("x"), 503),
        (StoreFullError("x"), 503),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each),
)
def test_an_error_has_the_status_of_its_class(error, status):
    assert status_of(error) == answer_to(error).status == status


def test_every_refusal_has_a_status():
    assert set(RefusedError.__subclasses__()) <= set(STATUSES)


def test_only_what_passes_asks_for_another_try():
    assert "Retry-After" in answer_to(BusyError("x")).headers
    assert "Retry-After" in answer_to(TooManyError("x")).headers
    assert "Retry-After" not in answer_to(FailedError("x")).headers
