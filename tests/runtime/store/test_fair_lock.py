"""The lock that gives way to waiting threads."""

import threading

from runtime.store.fair_lock import FairLock


def test_who_waits_comes_before_who_takes_it_again():
    lock, order, ready = FairLock(), [], threading.Event()

    def other():
        ready.set()
        with lock:
            order.append("other")

    thread = threading.Thread(target=other)
    with lock:
        thread.start()
        assert ready.wait(30)
        # until it is the next one
        while lock._turn.acquire(blocking=False):
            lock._turn.release()
        order.append("first")
    with lock:
        order.append("again")
    thread.join()
    assert order == ["first", "other", "again"]


def test_it_may_be_taken_more_than_once_and_need_not_be_waited_for():
    lock, seen = FairLock(), []

    def attempt():
        seen.append(lock.acquire(blocking=False))
        if seen[-1]:
            lock.release()

    def from_another_thread():
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()

    with lock, lock:
        from_another_thread()
        assert lock.acquire(blocking=False)
        lock.release()
        from_another_thread()
    from_another_thread()
    assert seen == [False, False, True]
