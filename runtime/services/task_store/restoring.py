"""Secrets put back where a client sent what hides them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runtime.nodes.secret_properties import ScriptHandlers
from runtime.secret_names import HIDDEN, has_placeholder, is_placeholder
from runtime.services.httpd.messages import RefusedError
from runtime.services.task_store.hiding import Definition, replaced, rewritten
from runtime.services.task_store.sites import Site, Spot, sites
from runtime.tick.format import string_text


def restored(
    sent: Definition, before: Definition | None, handlers: ScriptHandlers
) -> Definition:
    """`sent` with the secrets of `before` where it shows that they are hidden.

    A secret comes back to the same property of the handler that says the same
    otherwise, or else stands in the same place among those of its kind.

    Args:
        sent: by a client.
        before: what is stored, if anything is.
        handlers: of scripts, and which of their fields are secrets.

    Raises:
        RefusedError: it is not clear which secret a place had.
    """
    if sent == before or not _hides(sent):
        return sent
    news = sites(sent.script, sent.variables, handlers)
    olds = [] if before is None else sites(before.script, before.variables, handlers)
    found: dict[Spot, Site] = {}
    for purpose in dict.fromkeys(each.purpose for each in news):
        of_new = [each for each in news if each.purpose == purpose]
        of_old = [each for each in olds if each.purpose == purpose]
        found.update(_matched(of_new, of_old))
    for site in news:
        is_hidden = HIDDEN in site.value or is_placeholder(site.value)
        if site.purpose and is_hidden and site.spot not in found:
            raise RefusedError(_refusal(site))
    literals = {spot.start: _literal(each) for spot, each in found.items()}
    texts = {spot: each.value for spot, each in found.items()}
    return Definition(rewritten(sent.script, literals), replaced(sent.variables, texts))


def _hides(sent: Definition) -> bool:
    values = [var.value for var in sent.variables.values()]
    items = [
        each.value for value in values if isinstance(value, tuple) for each in value
    ]
    texts = (sent.script, *values, *items)
    return any(isinstance(each, str) and has_placeholder(each) for each in texts)


def _matched(news: Sequence[Site], olds: Sequence[Site]) -> Iterator[tuple[Spot, Site]]:
    """The old site of each new one that is hidden, where it is clear."""
    waiting: list[tuple[int, Site]] = []
    taken: set[Spot] = set()
    for index, new in enumerate(news):
        if HIDDEN not in new.value:
            continue
        hidden = [each for each in olds if each.is_hidden and each.shown == new.value]
        named = [each for each in hidden if new.spot.variable and each.spot == new.spot]
        same = [each for each in hidden if each.beside == new.beside]
        one = _only(named) or _only(hidden) or _only(same)
        if one is None:
            waiting.append((index, new))
        else:
            taken.update(each.spot for each in hidden if each.value == one.value)
            yield new.spot, one
    for index, new in waiting:
        if len(news) != len(olds):
            return
        old = olds[index]
        if old.is_hidden and old.shown == new.value and old.spot not in taken:
            yield new.spot, old


def _only(found: Iterable[Site]) -> Site | None:
    """One of several sites, if all hold the same."""
    values = {each.value: each for each in found}
    return next(iter(values.values())) if len(values) == 1 else None


def _literal(site: Site) -> str:
    return site.text or string_text(site.value)


def _refusal(site: Site) -> str:
    where = f"variable {site.spot.variable}" if site.spot.variable else "script"
    return (
        f"the {where} has {site.value if is_placeholder(site.value) else HIDDEN} in place of a secret ({site.purpose}) that is not "
        "known here: write the secret or, better, put it into the configuration"
    )
