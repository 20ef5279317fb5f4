"""The override API: reads and changes configuration while the server runs."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from runtime.compute.thread import Compute
from runtime.errors import (
    ConfigError,
    FailedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from runtime.golang.json_decode import (
    JsonError,
    anything,
    decode,
    mapping,
    sequence,
    string,
    struct,
)
from runtime.golang.quoting import quote
from runtime.lazy import made
from runtime.services.alert.policy import OPEN, Policy
from runtime.services.config.overrides import (
    Override,
    Overrides,
    Update,
    resolve,
    unknown_section,
)
from runtime.services.config.sections import Section, options, redacted
from runtime.services.httpd.messages import (
    BASE,
    NO_CONTENT,
    Answer,
    Request,
    compact,
    self_link,
)
from runtime.services.httpd.router import Router
from runtime.store.database import Store

_log = logging.getLogger("kapacitor.config")

_BUCKET = "overrides"
_PATH = f"{BASE}/config"
_SECTION = re.compile(r"[-\w+]+", re.ASCII)
_ELEMENT = re.compile(r"[-\w+]*", re.ASCII)
_OBJECT = mapping(anything, "map[string]interface {}")
_UPDATE = struct(
    "config.updateAction",
    {
        "set": _OBJECT,
        "delete": sequence(string, "[]string"),
        "add": _OBJECT,
        "remove": sequence(string, "[]string"),
    },
)


class DynamicService(Protocol):
    """A service whose configuration can change while it runs."""

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """Return a function that applies the section's elements.

        That function neither fails nor waits.

        Raises:
            ConfigError: the service refuses the elements.
        """


class ConfigService:
    """Overrides of the sections, stored and pushed to their services."""

    def __init__(
        self,
        sections: Mapping[str, Section],
        services: Mapping[str, DynamicService],
        store: Store,
        compute: Compute,
        *,
        enabled: bool = True,
        policy: Policy = OPEN,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve `sections`.

        Args:
            sections: sections of the configuration file.
            services: the running service of each section.
            store: database of the overrides.
            compute: compute thread, which uses the store.
            enabled: True to allow updates over the API.
            policy: limits on files that clients may read secrets from.
            changed: called after an update has taken effect.
        """
        self._changed = changed
        self._sections = sections
        self._services = services
        self._store = store
        self._compute = compute
        self._enabled = enabled
        self._policy = policy
        self._overrides: Overrides = {}
        # elements in force; sections that are missing here have those of the file
        self._elements: dict[str, tuple[Any, ...]] = {}
        # updates are applied one after the other
        self._one = asyncio.Lock()

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/config", self._get)
        router.add("GET", "/config/", self._get)
        router.add("POST", "/config/", self._post)

    def open(self, *, skip: bool = False) -> None:
        """Apply the sections, with their overrides, to running services.

        Args:
            skip: True to ignore stored overrides and apply the file.

        A stored override that no longer applies is rejected and has no effect.
        """
        wanted = not skip and self._enabled
        for path, stored in self._store.values.decoded(_BUCKET, _decoded):
            override = self._renamed(stored)
            if not wanted:
                self._overrides[path] = override
                continue
            try:
                self._put_in_force(override)
            # any error: the server starts even if a stored override is damaged
            except Exception as error:
                self._store.values.reject(_BUCKET, path, str(error))
        overrides = self._overrides if wanted else {}
        changed = {each.section for each in overrides.values()}
        # other services use the sections of the file
        for name in {**made(self._services), **dict.fromkeys(changed)}:
            elements = self._resolved(name, overrides)
            if wanted:
                self._elements[name] = elements
            self._services[name].prepared(elements)()

    def _renamed(self, stored: Override) -> Override:
        """A stored override with present names, so that former ones may be removed."""
        section = self._sections.get(stored.section)
        if section is None:
            return stored
        try:
            override = stored.with_present_names(section)
        except ValueError:
            return stored  # rejected later, like every override that does not apply
        if override != stored:
            self._store.values.put(_BUCKET, override.path, override.encode())
        return override

    def _put_in_force(self, override: Override) -> None:
        """Add a stored override.

        Raises:
            ConfigError: the override does not apply, or its service refuses it.
        """
        overrides = {**self._overrides, override.path: override}
        configs = self._resolved(override.section, overrides)
        if override.section not in self._services:
            raise ConfigError(
                "found configuration override for unknown dynamic service "
                f"{quote(override.section)}"
            )
        self._services[override.section].prepared(configs)
        self._overrides = overrides

    async def _get(self, request: Request) -> Answer:
        self._check_enabled()
        if request.path == _PATH:
            found = {name: self._current(name) for name in self._sections}
            shown = {
                name: self._shown_section(name, elements)
                for name, elements in found.items()
                if elements
            }
            return compact({"link": self_link(_PATH), "sections": shown})
        name, slash, element = request.rest.partition("/")
        if not name:
            raise InvalidError(
                "section not specified, do you have an extra trailing '/'?"
            )
        elements = self._current(name) if name in self._sections else ()
        if not elements:
            raise NotFoundError(f"unknown section: {name}")
        if not slash:
            return compact(self._shown_section(name, elements))
        for each in elements:
            if self._sections[name].element_name(each) == element:
                return compact(self._shown(name, each))
        raise NotFoundError(f"unknown section/element: {name}/{element}")

    def _current(self, name: str) -> tuple[Any, ...]:
        """The elements of a section.

        Raises:
            FailedError: stored overrides do not apply.
        """
        if name in self._elements:
            return self._elements[name]
        try:
            return self._resolved(name, self._overrides)
        except ConfigError as error:
            raise FailedError(
                f"failed to resolve current config:{_prefixed(error)}"
            ) from None

    async def _post(self, request: Request) -> Answer:
        try:
            self._check_enabled()
            update = _update(request)
            self._policy.check_references((update.set, update.add))
            async with self._one:
                await self._change(update)
        except ConfigError as error:
            raise InvalidError(str(error)) from None
        return NO_CONTENT

    async def _change(self, update: Update) -> None:
        path = f"{update.section}/{update.element or ''}"
        section = self._sections.get(update.section)
        former = [] if section is None else update.former_names(section)
        if section is not None:
            update = update.with_present_names(section)
        after = update.apply(self._sections, self._overrides)
        if section is None:
            refused = after.get(path, Override(update.section, ""))
            raise unknown_section(refused)
        # validate first: an invalid value is refused before anything changes
        own = [each for each in after.values() if each.section == update.section]
        elements = resolve(section, own)
        try:
            put_in_force = self._services[update.section].prepared(elements)
        except ConfigError as error:
            raise FailedError(
                f"failed to update configuration {path}: {error}"
            ) from None
        # store first: services must not use a configuration that a restart would lose
        await self._compute.run(self._persist, update.section, after)
        self._overrides = after
        self._elements[update.section] = elements
        put_in_force()
        self._changed()
        for each in former:
            _log.warning(f"option {each.deprecation}", extra={"section": path})

    def _persist(self, section: str, after: Overrides) -> None:
        with self._store.transaction():
            for path in self._overrides:
                if path.partition("/")[0] == section and path not in after:
                    self._store.values.delete(_BUCKET, path)
            for path, override in after.items():
                if override.section == section:
                    self._store.values.put(_BUCKET, path, override.encode())

    def _resolved(self, name: str, overrides: Overrides) -> tuple[Any, ...]:
        """The elements of a section with overrides.

        Raises:
            ConfigError: an override does not apply.
        """
        own = [each for each in overrides.values() if each.section == name]
        if name not in self._sections:
            raise unknown_section(own[0])
        return resolve(self._sections[name], own)

    def _shown_section(self, name: str, elements: Sequence[Any]) -> dict[str, Any]:
        return {
            "link": self_link(f"{_PATH}/{name}"),
            "elements": [self._shown(name, element) for element in elements],
        }

    def _shown(self, name: str, element: Any) -> dict[str, Any]:
        element_name = self._sections[name].element_name(element)
        return {
            "link": self_link(f"{_PATH}/{name}/{element_name}"),
            "options": options(element),
            "redacted": redacted(element),
        }

    def _check_enabled(self) -> None:
        if not self._enabled:
            raise ForbiddenError("config override service is not enabled")


def _decoded(path: str, stored: bytes) -> Override:
    override = Override.decode(stored)
    if override.path != path:
        raise ConfigError("it is stored under another name")
    return override


def _prefixed(error: ConfigError) -> str:
    return f"failed to apply configuration overrides: {error}"


def _update(request: Request) -> Update:
    """The update of a request.

    Source: Kapacitor services/config/service.go, validate of the update action.
    """
    try:
        body = decode(request.body, _UPDATE, {})
    except JsonError as error:
        raise InvalidError(f"failed to decode JSON:{error}") from None
    section, slash, element = request.rest.partition("/")
    update = Update(
        section,
        element if slash else None,
        body.get("set", {}),
        tuple(each or "" for each in body.get("delete", ())),
        body.get("add", {}),
        tuple(each or "" for each in body.get("remove", ())),
    )
    if fault := _fault(update):
        raise InvalidError(f"failed to apply update: invalid update action: {fault}")
    return update


def _fault(update: Update) -> str:
    if not update.section:
        return "must provide section name"
    if not _SECTION.fullmatch(update.section):
        return f"invalid section name {quote(update.section)}"
    if not _ELEMENT.fullmatch(update.element or ""):
        return f"invalid element name {quote(update.element or '')}"
    if (update.set or update.delete) and (update.add or update.remove):
        return (
            "cannot provide both set/delete and add/remove actions in the same update"
        )
    if update.add and update.element:
        return "must not provide an element name when adding an a new override"
    if update.remove and update.element:
        return "must not provide element when removing an override"
    if not update.add and not update.remove and update.element is None:
        return "element not specified, are you missing a trailing '/'?"
    return ""
