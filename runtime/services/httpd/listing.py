"""What a request for a list asks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runtime.golang.glob import PatternError, match
from runtime.golang.quoting import quote
from runtime.services.httpd.messages import RefusedError, Request

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which items are listed.

    Attributes:
        pattern: a glob on the id; "" for all.
        fields: what is shown of each.
        offset: how many are skipped.
        limit: how many are shown at most; negative for all, whatever the pattern.
    """

    pattern: str
    fields: frozenset[str]
    offset: int
    limit: int

    @classmethod
    def of(cls, request: Request, known: Collection[str]) -> Listing:
        """What a request asks for.

        Raises:
            RefusedError: a field is unknown, or a number none.
        """
        fields = [each for each in request.query.get("fields", []) if each]
        for field in fields:
            if field not in known:
                raise RefusedError(f"unsupported field {quote(field)}")
        return cls(
            request.parameter("pattern"),
            frozenset((*fields, "id", "link")) if fields else frozenset(known),
            _integer(request, "offset", 0),
            _integer(request, "limit", 100),
        )

    def pick(self, ids: Sequence[str]) -> list[str]:
        """The ids to show, out of all in order."""
        if self.limit < 0:
            return list(ids)[max(0, self.offset) :]
        try:
            matching = [id for id in ids if not self.pattern or match(self.pattern, id)]
        except PatternError:
            return []
        start = max(0, self.offset)
        return matching[start : start + self.limit]


def _integer(request: Request, name: str, default: int) -> int:
    text = request.parameter(name)
    if not text:
        return default
    if not _INTEGER.fullmatch(text):
        raise RefusedError(
            f"invalid {name} parameter {quote(text)} must be an integer: "
            f"strconv.ParseInt: parsing {quote(text)}: invalid syntax"
        )
    return int(text)
