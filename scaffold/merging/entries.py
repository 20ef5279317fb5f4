"""Merges hand edits of an entry of a shared file with its newly generated text."""

from __future__ import annotations

import textwrap

from scaffold.layout.style import Style
from scaffold.merging import documents
from scaffold.merging.versions import Take, Versions
from scaffold.patching.place import Registration


def merged(
    registration: Registration, now: str, style: Style, take: Take
) -> str | None:
    """The entry with the changes of both sides; None if they contradict.

    Args:
        registration: the registration, with its former text.
        now: the entry in the project, not indented.
        style: the project's layout of code.
        take: the way to settle conflicts; shared files get no markers, and no entry twice.
    """
    versions = Versions(
        registration.base or "", now, registration.text.strip("\n") + "\n"
    )
    text = _merged(registration, versions, style)
    if text is not None:
        return text
    return {"mine": now, "generated": versions.new}.get(take)


def _merged(
    registration: Registration, versions: Versions[str], style: Style
) -> str | None:
    frame = registration.place.anchor.frame
    if frame is None:
        lines = Versions(*(text.split("\n") for text in versions))
        found, is_clean = documents.by_lines(registration.place.path, lines, "fail")
        return "\n".join(found) if is_clean else None
    head, tail = frame
    if versions.mine.startswith(("from ", "import ")):
        return None  # a name alone has no parts to merge
    from scaffold.merging import python
    from scaffold.merging.clash import ClashError

    indent = "    " if head else ""
    framed = (head + textwrap.indent(text, indent) + tail for text in versions)
    try:
        merge = python.merged(Versions(*framed), style, "fail")
    except ClashError:
        return None
    if merge.conflicts:
        return None
    text = merge.text.removeprefix(head)
    return textwrap.dedent(text.removesuffix(tail) if tail else text)
