"""Authorization of API requests."""

from __future__ import annotations

import logging

from runtime.compute.thread import Compute
from runtime.server.config.config import Config
from runtime.services.auth.api import UsersAPI
from runtime.services.auth.service import AuthService
from runtime.services.auth.subscriptions import SubscriptionTokens
from runtime.services.httpd.service import HttpServer
from runtime.services.httpd.users import User
from runtime.store.database import Store
from runtime.store.records import Records
from runtime.units import Clock

log = logging.getLogger("kapacitor.server")


def guard(
    http: HttpServer,
    config: Config,
    store: Store,
    compute: Compute,
    clock: Clock,
    tokens: SubscriptionTokens | None,
) -> None:
    """Set up both switches: the user store, and the authorization of requests.

    Args:
        http: server of the API.
        config: configuration with the switches.
        store: database of the users.
        compute: compute thread, which uses the database.
        clock: wall clock, in ns since 1970 UTC.
        tokens: tokens of subscriptions, with authorization.

    Raises:
        StoreError: the users cannot be read.
    """
    auth, settings = config.auth, config.http
    users = Records(store, "users", User.decode)
    if auth.enabled:
        users.load()
        api = UsersAPI(users, compute, cost=auth.bcrypt_cost)
        api.add_routes(http.router)
    if not settings.auth_enabled:
        return
    if not auth.enabled:
        log.warning(
            "[http] auth-enabled is set without [auth] enabled: any credentials are "
            "accepted"
        )
    service = AuthService(
        users if auth.enabled else None,
        cost=auth.bcrypt_cost,
        shared_secret=settings.shared_secret,
        tokens=tokens,
        open_debug=settings.pprof_enabled,
        cache_expiration=auth.cache_expiration,
        clock=clock,
    )
    http.authenticate(service)
