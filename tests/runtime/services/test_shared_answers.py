"""Answers that deliveries share."""

import asyncio

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.client import Request, Response
from runtime.services.shared_answers import SharedAnswers

LOGIN = Request("POST", "http://host/login", body=b"a")


class Login:
    """Counts the requests that are sent; answers them with their number."""

    def __init__(self, error=None):
        self.count = 0
        self.error = error
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self):
        self.count += 1
        number = self.count
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Response(200, b"%d" % number)


def run(use):
    async def main():
        now = [0.0]
        shared = SharedAnswers(lambda: now[0])
        try:
            return await use(shared, now)
        finally:
            await shared.close()

    return asyncio.run(asyncio.wait_for(main(), 30))


def test_an_answer_is_shared_until_its_time_is_over():
    async def use(shared, now):
        login, found = Login(), []
        for second in (0, 9.9, 10, 19):
            now[0] = second
            answer, is_new = await shared.get(LOGIN, 10, login)
            found.append((answer.text, is_new))
        return found

    assert run(use) == [("1", True), ("1", False), ("2", True), ("2", False)]


def test_other_credentials_are_another_request():
    async def use(shared, now):
        login = Login()
        for body in (b"a", b"b", b"a"):
            await shared.get(Request("POST", "http://host/login", body=body), 10, login)
        return login.count

    assert run(use) == 2


def test_deliveries_that_wait_send_one_request():
    async def use(shared, now):
        login = Login()
        login.gate.clear()
        waiting = [asyncio.create_task(shared.get(LOGIN, 10, login)) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        login.gate.set()
        answers = {answer.text for answer, _ in await asyncio.gather(*waiting)}
        return login.count, answers

    assert run(use) == (1, {"1"})


def test_all_that_wait_get_the_error_and_the_next_one_tries_again():
    async def use(shared, now):
        login = Login(DeliveryError("no", retry=True))
        waiting = [shared.get(LOGIN, 10, login) for _ in range(3)]
        errors = await asyncio.gather(*waiting, return_exceptions=True)
        login.error = None
        answer, _ = await shared.get(LOGIN, 10, login)
        return [str(each) for each in errors], login.count, answer.text

    assert run(use) == (["no"] * 3, 2, "2")


def test_a_cancelled_delivery_does_not_end_the_request_of_others():
    async def use(shared, now):
        login = Login()
        login.gate.clear()
        first, second = (
            asyncio.create_task(shared.get(LOGIN, 10, login)) for _ in range(2)
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        login.gate.set()
        answer, _ = await second
        return login.count, answer.text, first.cancelled()

    assert run(use) == (1, "1", True)


def test_only_the_answer_in_use_is_dropped():
    async def use(shared, now):
        login = Login()
        old, _ = await shared.get(LOGIN, 10, login)
        shared.drop(old)
        new, _ = await shared.get(LOGIN, 10, login)
        # another delivery used the old one, and is refused later
        shared.drop(old)
        answer, is_new = await shared.get(LOGIN, 10, login)
        return answer is new, is_new, login.count

    assert run(use) == (True, False, 2)


def test_requests_that_all_differ_do_not_fill_the_memory():
    async def use(shared, now):
        login = Login()
        for number in range(1100):
            request = Request("POST", f"http://host/{number}")
            await shared.get(request, 10, login)
        _, is_new = await shared.get(Request("POST", "http://host/1099"), 10, login)
        _, is_oldest_new = await shared.get(Request("POST", "http://host/0"), 10, login)
        return is_new, is_oldest_new, len(shared._shared)

    assert run(use) == (False, True, 1000)


def test_close_ends_running_requests():
    async def use(shared, now):
        login = Login()
        login.gate.clear()
        task = asyncio.create_task(shared.get(LOGIN, 10, login))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await shared.close()
        with pytest.raises(asyncio.CancelledError):
            await task
        return True

    assert run(use)
