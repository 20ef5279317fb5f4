"""Authentication: from credentials to users and their permissions."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from runtime.errors import BusyError, CredentialsError, TooManyError
from runtime.golang.json import encode
from runtime.golang.queries import parse_query
from runtime.golang.quoting import quote
from runtime.secrets import Secret
from runtime.services.auth.passwords import dummy_hash, matches
from runtime.services.auth.subscriptions import SubscriptionTokens
from runtime.services.auth.tokens import verify
from runtime.services.auth.turns import Turns, crowd
from runtime.services.httpd.credentials import (
    SUBSCRIBER,
    Credentials,
    credentials,
    without_password,
)
from runtime.services.httpd.messages import (
    BASE,
    PREVIEW,
    STATUS_PATH,
    Answer,
    Request,
    answer_to,
    status_of,
)
from runtime.services.httpd.users import User, is_name, privilege
from runtime.store.records import Records
from runtime.units import SECOND, Clock, Nanoseconds

# Checking a password is slow on purpose; more checks at once would slow the machine.
_CHECKS_AT_ONCE = 2
# Maximum number of waiting checks. Further clients are asked to try again.
_CHECKS_WAITING = 256
_CHECKS_WAITING_PER_ADDRESS = 8
_CACHED = 10_000
DEFAULT_CACHE_EXPIRATION: Nanoseconds = 3600 * SECOND


class _Known(NamedTuple):
    user: User
    until: Nanoseconds


class AuthService:
    """Authenticates and authorizes requests.

    Attributes:
        users: users; None to accept any name and password.
    """

    def __init__(
        self,
        users: Records[User] | None,
        *,
        cost: int,
        shared_secret: Secret,
        tokens: SubscriptionTokens | None = None,
        open_debug: bool = False,
        cache_expiration: Nanoseconds = DEFAULT_CACHE_EXPIRATION,
        clock: Clock = time.time_ns,
    ) -> None:
        """Create the service.

        Args:
            users: users; None to treat every client as an admin.
            cost: bcrypt cost of new passwords.
            shared_secret: secret that signs tokens.
            tokens: tokens of subscriptions; None if there are none.
            open_debug: True to serve `/debug/…` without credentials.
            cache_expiration: time that a checked password is cached, in ns.
            clock: wall clock, in ns since 1970 UTC.
        """
        self.users = users
        self._cost = cost
        self._secret = shared_secret
        self._tokens = tokens
        self._open_debug = open_debug
        self._expiration = cache_expiration or DEFAULT_CACHE_EXPIRATION
        self._clock = clock
        # key of the digests in the cache, which are useless without it
        self._key = secrets.token_bytes(32)
        self._cache: OrderedDict[bytes, _Known] = OrderedDict()
        self._turns = Turns(
            _CHECKS_AT_ONCE, _CHECKS_WAITING_PER_ADDRESS, _CHECKS_WAITING
        )
        # running checks: agents that start together send the same password
        self._checks: dict[tuple[bytes, str], asyncio.Task[User]] = {}

    async def check(self, request: Request) -> Answer | None:
        """Authorize a request and set its user; return None, or the response that refuses it."""
        resource = _resource(request.path)
        if self._open_debug and resource.startswith("/debug/"):
            return None
        given = credentials(request.authorization, request.query_string)
        try:
            user = await self.authenticated(given, request.remote)
        except CredentialsError as error:
            return _refused(status_of(error), str(error), _challenge(request.path))
        except (TooManyError, BusyError) as error:
            return answer_to(error)
        request.user = user
        request.uri = without_password(request.uri)
        if not user.may(request.method, resource):
            text = (
                f"user {user.name} does not have {quote(privilege(request.method))} "
                f"privilege for API endpoint {quote(BASE + resource)}"
            )
            return _refused(403, text)
        if resource == "/write":
            # permissions of the API grant nothing on databases
            return _not_writer(user, request.parameter("db"))
        return None

    def knows_writer(self, authorization: str, query: str) -> bool:
        """True if the cache alone authorizes a write with these credentials."""
        given = credentials(authorization, query)
        if given is None:
            return False
        user = self._remembered(self._digest(given))
        if user is None or user.admin:
            return user is not None
        database = parse_query(query).get("db", [""])[0]
        return database != "" and user.may_write(database)

    async def authenticated(self, given: Credentials | None, remote: str = "") -> User:
        """The user with these credentials.

        Args:
            given: credentials that a client sent.
            remote: address of the client.

        Raises:
            CredentialsError: the credentials are invalid.
            TooManyError: too many passwords from this address are being checked.
            BusyError: too many passwords are being checked.
        """
        if given is None:
            raise CredentialsError("unable to parse authentication credentials")
        digest = self._digest(given)
        user = self._remembered(digest)
        if user is not None:
            return user
        match given.method:
            case "token":
                user, until = self._by_token(given.secret)
            case "subscription":
                user = self._by_subscription(given.secret)
                until = self._clock() + self._expiration
            case _:
                user = await self._checked(digest, given, crowd(remote))
                until = self._clock() + self._expiration
        self._cache[digest] = _Known(user, until)
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return user

    async def _checked(self, digest: bytes, given: Credentials, crowd: str) -> User:
        """Check a password, once for all concurrent requests with the same one."""
        key = digest, crowd
        check = self._checks.get(key)
        if check is None:
            work = self._by_password(given.user, given.secret, crowd)
            check = asyncio.get_running_loop().create_task(work)
            self._checks[key] = check
            check.add_done_callback(lambda done: self._forget(key, done))
        # a client that leaves must not cancel the check of another
        return await asyncio.shield(check)

    def _forget(self, key: tuple[bytes, str], check: asyncio.Task[User]) -> None:
        del self._checks[key]
        if not check.cancelled():
            # fetch the exception: perhaps no request is waiting for it
            check.exception()

    def _by_token(self, token: str) -> tuple[User, Nanoseconds]:
        claims = verify(token, self._secret, self._clock())
        if self.users is None:
            return User(claims.username, admin=True), claims.expires
        user = self.users.get(claims.username)
        if user is None:
            raise CredentialsError(
                f"retrieving user {quote(claims.username)} from store: no user exists"
            )
        return user, claims.expires

    def _by_subscription(self, token: str) -> User:
        if self.users is None:
            return User(SUBSCRIBER, admin=True)
        if not is_name(token):
            raise CredentialsError(f"token must be a valid username: {quote(token)}")
        user = None if self._tokens is None else self._tokens.user(token)
        if user is None:
            raise CredentialsError("invalid subscription token")
        return user

    async def _by_password(self, name: str, password: str, crowd: str) -> User:
        if not name:
            raise CredentialsError("username required")
        if self.users is None:
            return User(name, admin=True)
        user = self.users.get(name)
        hash = dummy_hash(self._cost) if user is None else user.hash.reveal()
        async with self._turns.turn(crowd):
            found = await asyncio.to_thread(matches, password, hash)
        if not found or user is None:
            raise CredentialsError("authorization failed")
        return user

    def _remembered(self, digest: bytes) -> User | None:
        known = self._cache.get(digest)
        if known is None:
            return None
        user = known.user
        if self._is_changed(user) or known.until <= self._clock():
            del self._cache[digest]
            return None
        return user

    def _is_changed(self, user: User) -> bool:
        """True if a cached user has changed since."""
        if user.databases:
            return self._tokens is None or not self._tokens.is_valid(user)
        return self.users is not None and self.users.get(user.name) is not user

    def _digest(self, given: Credentials) -> bytes:
        text = f"{given.method}\0{len(given.user)}\0{given.user}\0{given.secret}"
        data = text.encode("utf-8", "surrogateescape")
        return hashlib.blake2b(data, key=self._key, digest_size=32).digest()


def _resource(path: str) -> str:
    for base in (f"{PREVIEW}/", f"{BASE}/"):
        if path.startswith(base):
            return path[len(base) - 1 :]
    return path


def _refused(
    status: int, text: str, headers: Mapping[str, str] | None = None
) -> Answer:
    body = encode({"error": text, "message": text})
    return Answer(status, body, headers=headers or {})


def _challenge(path: str) -> dict[str, str]:
    """Headers that make a browser ask for a password, only on the status page.

    Other requests receive Kapacitor's answer.
    """
    if path != STATUS_PATH:
        return {}
    return {"WWW-Authenticate": 'Basic realm="kapacitor", charset="UTF-8"'}


def _not_writer(user: User, database: str) -> Answer | None:
    # a write without a database is refused later for that reason
    if not database or user.may_write(database):
        return None
    text = (
        f"{quote(user.name)} user is not authorized to write "
        f"to database {quote(database)}"
    )
    return Answer(401, f"{text}\n".encode())
