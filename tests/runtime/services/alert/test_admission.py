"""Admission of specs: a refusal at any step changes nothing."""

from functools import partial

import pytest

from runtime.errors import (
    ForbiddenError,
    InvalidError,
    OptionsError,
    StoreError,
)
from runtime.services.alert.policy import Policy
from runtime.services.alert.specs import HandlerSpec, HandlerSpecs

LOG = HandlerSpec("h", "t", "log", {"path": "/tmp/x"})
STRICT = Policy(log_paths=("/var/log/alerts",))


def spec(kind, options, match=""):
    return HandlerSpec("h", "t", kind, options, match)


def stored(store):
    return {each.id: each for each in HandlerSpecs(store).all()}


# the step, the spec, the policy, the error
REFUSED = {
    "permitted, a file": (spec("log", {"path": "/etc/x"}), STRICT, ForbiddenError),
    "permitted, before building": (
        spec("exec", {"prog": "/bin/true"}, "nope("),
        STRICT,
        ForbiddenError,
    ),
    "permitted, a secret's file": (
        spec("hipchat", {"token": {"file": "/etc/shadow"}}),
        STRICT,
        ForbiddenError,
    ),
    "permitted, a placeholder": (
        spec("post", {"url": "http://u:***@h/"}),
        Policy(is_open=True),
        InvalidError,
    ),
    "permitted, options": (spec("foo", {"x": 1}), STRICT, OptionsError),
    "permitted, the kind": (spec("nope", {}), STRICT, OptionsError),
    "permitted, a path": (spec("log", {"path": "x"}), STRICT, OptionsError),
    "built, the handler": (spec("aggregate", {"topic": "u"}), STRICT, OptionsError),
    "built, the match": (spec("foo", {}, "nope("), STRICT, OptionsError),
    "routed, a cycle": (spec("publish", {"topics": ["t"]}), STRICT, InvalidError),
    "routed, no endpoint": (spec("post", {"endpoint": "x"}), STRICT, OptionsError),
}


@pytest.mark.parametrize("is_update", [False, True], ids=["create", "update"])
@pytest.mark.parametrize("step", REFUSED)
def test_a_refused_spec_changes_nothing(service, store, offers, step, is_update):
    refused, policy, error = REFUSED[step]
    before = service.admission.create(LOG) if is_update else None
    running = before and service.handlers.running(before)
    known = stored(store)
    admission = service.admission
    ask = admission.create if before is None else partial(admission.update, before)
    with pytest.raises(error):
        ask(refused, policy)
    assert stored(store) == known
    assert service.handlers.matching("t") == [*known.values()]
    assert service.handlers.running(refused) is running


def test_a_spec_that_cannot_be_stored_is_not_in_force(service, store, monkeypatch):
    before = service.admission.create(LOG)
    running = service.handlers.running(before)
    monkeypatch.setattr(HandlerSpecs, "put", _fail)
    with pytest.raises(StoreError):
        service.admission.update(before, HandlerSpec("i", "t", "foo", {}))
    assert stored(store) == {"h": before}
    assert service.handlers.matching("t") == [before]
    assert service.handlers.running(before) is running


def test_a_suspended_handler_is_in_force_again_once_it_is_allowed(make, store):
    listed = Policy(log_paths=("/tmp",))
    service = make()
    kept = service.admission.create(LOG, listed)
    assert kept.is_listed
    for policy, is_suspended in ((STRICT, True), (listed, False)):
        service.handlers.stored()
        service.admission.recall(policy)
        handler = service.handlers.running(kept).recipient.handler
        assert (type(handler).__name__ == "ForbiddenHandler") is is_suspended
        assert service.handlers.running(kept).options.path == "/tmp/x"


def _fail(self, spec):
    raise StoreError("full")
