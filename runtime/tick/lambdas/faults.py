"""Errors that stop an evaluation."""

from __future__ import annotations


class IrregularError(Exception):
    """The values at hand are not what compiled code expects.

    Catch it and evaluate again with `Evaluator`, which has the error's words.
    """


class CallError(IrregularError):
    """A function of the library fails; the text is the function's own."""


class TooMuchError(CallError):
    """An evaluation has come to its limits."""
