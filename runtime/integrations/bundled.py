"""All bundled alert handlers as one value."""

from runtime.integration import Integrations
from runtime.integrations.configuration import SECTIONS
from runtime.integrations.kinds import KINDS
from runtime.integrations.node_handlers import NODE_HANDLERS
from runtime.integrations.properties import PROPERTIES
from runtime.integrations.services import SERVICES

INTEGRATIONS = Integrations(
    sections=SECTIONS,
    services=SERVICES,
    kinds=KINDS,
    properties=PROPERTIES,
    node_handlers=NODE_HANDLERS,
)
