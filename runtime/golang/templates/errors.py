"""What goes wrong with a template."""

from __future__ import annotations


class TemplateError(ValueError):
    """A template does not parse or does not execute; the text is Go's.

    Attributes:
        always: whether what the template says is wrong for all data, not only for this.
    """

    def __init__(self, text: str, *, always: bool = False) -> None:
        super().__init__(text)
        self.always = always
