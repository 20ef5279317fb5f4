"""From topics to handlers: at least once, in order, each handler for itself."""

from runtime.delivery.book import Delivery
from runtime.delivery.deliverer import Deliverer
from runtime.delivery.items import Address
from runtime.delivery.policy import RetryPolicy
from runtime.delivery.queue import Counters

__all__ = ["Address", "Counters", "Deliverer", "Delivery", "RetryPolicy"]
