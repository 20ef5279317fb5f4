"""TICKscript property `.kafka()` of alert nodes."""

from dataclasses import dataclass

from runtime.alert.templates import NO_TEMPLATE, Template
from runtime.pipeline.handler import AlertHandler
from runtime.settings import setting


@dataclass(slots=True)
class KafkaHandler(AlertHandler):
    """Options of `.kafka()`.

    Attributes:
        cluster: id of the cluster to send to.
        topic: topic to send to.
        template: value of the message; by default the alert as JSON.
        disablepartitionbyid: spreads messages over all partitions, in place of one for
            each alert.
        partitionalgorithm: hash of the alert's ID that chooses the partition: crc32
            (the default), murmur2, murmur3 or fnv-1a.
    """

    cluster: str = ""
    topic: str = setting("", tick="kafkaTopic")
    template: Template = NO_TEMPLATE
    disablepartitionbyid: bool = setting(False, tick="disablePartitionById")
    partitionalgorithm: str = setting("", tick="partitionHashAlgorithm")
