"""Delivery from topics to handlers: at least once, in order, independently."""

from runtime.delivery.backlog import Backlog
from runtime.delivery.dispatcher import Dispatcher
from runtime.delivery.messages import Address
from runtime.delivery.policy import RetryPolicy
from runtime.delivery.queue import Counters

__all__ = ["Address", "Backlog", "Counters", "Dispatcher", "RetryPolicy"]
