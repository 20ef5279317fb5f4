"""Guessing passwords does not delay other clients."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import BusyError, TooManyError
from runtime.secrets import Secret
from runtime.services.auth.passwords import hashed
from runtime.services.auth.service import AuthService
from runtime.services.auth.turns import Turns, crowd
from runtime.services.httpd.messages import Request, status_of
from runtime.services.httpd.users import User
from runtime.store.database import Store
from runtime.store.records import Records


def in_order(turns: Turns, addresses: list[str]) -> list[str]:
    """The order in which they have their turns when all come at once."""
    had: list[str] = []

    async def take(address: str) -> None:
        try:
            async with turns.turn(address):
                await asyncio.sleep(0)
                had.append(address)
        except (TooManyError, BusyError) as error:
            had.append(f"{address} {status_of(error)}")

    async def run() -> None:
        await asyncio.gather(*map(take, addresses))

    asyncio.run(run())
    return had


def test_addresses_take_turns() -> None:
    had = in_order(Turns(1, 8, 99), ["a", "a", "a", "a", "b", "b", "c"])
    assert had == ["a", "a", "b", "c", "a", "b", "a"]


def test_an_address_may_wait_with_a_few() -> None:
    had = in_order(Turns(1, 2, 99), ["a"] * 5 + ["b"])
    assert had.count("a 429") == 2
    assert (had.count("a"), had.count("b")) == (3, 1)


def test_who_has_most_places_gives_one_up() -> None:
    had = in_order(Turns(1, 8, 4), ["a", "a", "a", "a", "b", "c", "d"])
    assert sorted(had) == ["a", "a", "a 429", "a 429", "b", "c", "d"]
    had = in_order(Turns(1, 8, 2), ["a", "b", "c", "d"])
    assert had == ["d 503", "a", "b", "c"]


def test_who_goes_away_leaves_the_turn_to_others() -> None:
    async def run() -> list[str]:
        turns, had = Turns(1, 8, 99), list[str]()

        async def take(name: str, hold: asyncio.Event) -> None:
            async with turns.turn(name):
                had.append(name)
                await hold.wait()

        hold, free = asyncio.Event(), asyncio.Event()
        free.set()
        first = asyncio.create_task(take("first", hold))
        gone = asyncio.create_task(take("gone", free))
        last = asyncio.create_task(take("last", free))
        await asyncio.sleep(0)
        gone.cancel()
        hold.set()
        await asyncio.gather(first, last)
        async with turns.turn("again"):
            return had

    assert asyncio.run(run()) == ["first", "last"]


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_crowds(address: str, same: str) -> None:
    assert crowd(address) == same


@pytest.fixture
def service(tmp_path: Path) -> Any:
    store = Store(tmp_path / "kapacitor.db")
    users = Records(store, "users", User.decode)
    users.put(User("root", admin=True, hash=Secret(hashed("right", 8))))

    def make() -> AuthService:
        return AuthService(users, cost=8, shared_secret=Secret(""))

    yield make
    store.close()


def asked(password: str, remote: str) -> Request:
    token = base64.b64encode(f"root:{password}".encode()).decode()
    authorization = f"Basic {token}"
    path = "/kapacitor/v1/ping"
    return Request("GET", path, authorization=authorization, remote=remote)


def test_a_flood_of_guesses_delays_nobody_elsewhere(service: Any) -> None:
    async def run() -> tuple[int, set[int], list[str]]:
        gate = service()
        flood = [
            asyncio.create_task(gate.check(asked(f"guess {n}", "192.0.2.1")))
            for n in range(90)
        ]
        await asyncio.sleep(0)
        assert await gate.check(asked("right", "192.0.2.2")) is None
        waiting = sum(not task.done() for task in flood)
        answers = await asyncio.gather(*flood)
        headers = [
            answer.headers["Retry-After"] for answer in answers if answer.status == 429
        ]
        return waiting, {answer.status for answer in answers}, headers

    waiting, statuses, headers = asyncio.run(run())
    # the other's turn came before theirs
    assert waiting >= 4
    assert statuses == {401, 429}
    assert headers == ["5"] * 80


def test_agents_that_start_together_are_checked_once(service: Any) -> None:
    async def run() -> list[object]:
        gate = service()
        asking = [gate.check(asked("right", "192.0.2.1")) for _ in range(90)]
        return list(await asyncio.gather(*asking))

    assert asyncio.run(run()) == [None] * 90
