"""Errors that stop an evaluation."""

from __future__ import annotations


class IrregularError(Exception):
    """Compiled code does not support the values of a point.

    Catch it and evaluate again with `Evaluator`, which has the texts of errors.
    """


class CallError(IrregularError):
    """A function of the library fails; the text is the function's own."""


class TooMuchError(CallError):
    """An evaluation has reached its limits."""
