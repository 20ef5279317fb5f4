"""Whole pages of the status page, with their headers."""

from __future__ import annotations

from pathlib import Path

from runtime.alert.types import EventState, Level
from runtime.delivery.messages import Address
from runtime.nodes.environment import ServerInfo
from runtime.server.status import sections
from runtime.server.status.html import Content, Link, Stylesheet, document, el
from runtime.server.status.overview import Overview, Part, Query
from runtime.server.status.tables import count, number, text
from runtime.units import SECOND, Nanoseconds, rfc3339
from runtime.version import PRODUCT, PRODUCT_VERSION, VERSION

_STYLE = Stylesheet(Path(__file__).with_name("page.css").read_text("utf-8"))
_API = "kapacitor/v1"
# Nothing is allowed from elsewhere, no scripts or frames, and nothing is cached. The
# referrer policy lets browsers send `Origin` with the page's own forms.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_STYLE.source}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class HTMLPages:
    """Creates the pages of one server."""

    def __init__(self, info: ServerInfo) -> None:
        """Create pages with the name of a server."""
        self._name = info.hostname

    def overview(self, state: Overview, notice: str = "") -> bytes:
        """The page with everything.

        Args:
            state: data to show.
            notice: result of the last action, or "".
        """
        critical = state.levels.get(Level.CRITICAL, 0)
        title = f"{number(critical)} critical – " if critical else ""
        return self._document(
            f"{title}Alerts on {self._name}",
            state.now,
            sections.overview(state, notice),
        )

    def events(
        self, topic: str, events: Part[EventState], now: Nanoseconds, query: Query
    ) -> bytes:
        """The page about one topic."""
        return self._document(
            f"Events of topic {topic}",
            now,
            sections.events(topic, events, now, query),
        )

    def confirmation(self, address: Address, dead: int, now: Nanoseconds) -> bytes:
        """The confirmation before all dead deliveries of a handler are sent again."""
        what = f"Re-send {count(dead, 'dead delivery', 'dead deliveries')}"
        return self._document(f"{what}?", now, sections.confirmation(what, address))

    def failure(self, problem: str, now: Nanoseconds) -> bytes:
        """The page about a request that failed."""
        return self._document("Request failed", now, sections.failure(problem))

    def _document(self, title: str, now: Nanoseconds, body: Content) -> bytes:
        header = el(
            "header",
            el("h1", el("a", "Alerts on ", text(self._name), href=Link())),
            el(
                "p",
                f"As of {rfc3339(now // SECOND * SECOND)[11:19]} UTC",
                el("a", "Refresh", href=Link()),
            ),
        )
        footer = el(
            "footer",
            el(
                "span",
                f"{PRODUCT} {PRODUCT_VERSION}, compatible with Kapacitor " f"{VERSION}",
            ),
            el("a", "Metrics", href=Link("metrics")),
            el("a", "API", href=Link(f"{_API}/openapi.json")),
        )
        return document(title, _STYLE, header, el("main", body), footer)
