"""Nodes that scripts may contain but that are not run: a task with one does not start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.pipeline.node import Node, link, require
from runtime.pipeline.properties import INTERNAL, ZERO, internal, property_method
from runtime.tick import ast
from runtime.units import Duration

# Kapacitor's error text spells the last one differently
_KINDS = ("deployments", "replicasets", "replicationcontroller")


@dataclass(eq=False, slots=True)
class UDFNode(Node):
    """`@name()`: a user's own function in another process; accepted, but not run.

    Attributes:
        function: its name.
        options: the calls made on it.
    """

    unsupported: ClassVar[str] = (
        "user defined functions (UDFs) are not supported by this server"
    )

    function: str = internal("")
    options: list[tuple[str, tuple[object, ...]]] = field(
        default_factory=list, metadata=INTERNAL
    )

    @property
    def kind(self) -> str:
        """The function's name."""
        return self.function


@dataclass(eq=False, slots=True)
class AutoscaleNode(Node):
    """Base of the autoscale nodes; accepted, but not run."""

    unsupported: ClassVar[str] = "autoscaling is not supported by this server"

    current_field: str = ""
    max: int = 0
    min: int = 1
    replicas: ast.LambdaNode | None = None
    increase_cooldown: Duration = ZERO
    decrease_cooldown: Duration = ZERO
    cluster: str = ""

    def check(self, what: str, name: str, name_tag: str) -> None:
        """Check the common properties; `what` is the property of the scaled resource.

        Raises:
            ScriptError: a property is missing or wrong.
        """
        text = f"must specify exactly one of {what} or {what}Tag"
        require(bool(name) != bool(name_tag), text)
        self.check_kind()
        require(self.min >= 1, f"min must be >= 1, got {self.min}")
        text = "must provide a replicas lambda expression"
        require(self.replicas is not None, text)

    def check_kind(self) -> None:
        """Check the kind of resource, for nodes that have several."""


@dataclass(eq=False, slots=True)
class K8sAutoscaleNode(AutoscaleNode):
    """`|k8sAutoscale()`."""

    call: ClassVar[str] = "k8sAutoscale"

    namespace: str = ""
    # `kind` is the kind of the node
    resource_kind: str = internal("deployments")
    resource_name: str = ""
    resource_name_tag: str = ""
    namespace_tag: str = "namespace"
    kind_tag: str = "kind"
    resource_tag: str = "resource"

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "k8s_autoscale"

    def validate(self) -> None:
        """Check that the required properties are set."""
        self.check("ResourceName", self.resource_name, self.resource_name_tag)

    def check_kind(self) -> None:
        """Check the kind of resource."""
        require(
            self.resource_kind in _KINDS,
            "invalid Kind, must be 'deployments', 'replicasets' or"
            f" 'replicationcontrollers', got {self.resource_kind}",
        )

    @property_method("kind")
    def set_kind(self, kind: str) -> None:
        """Set the kind of resource to scale."""
        self.resource_kind = kind


@dataclass(eq=False, slots=True)
class SwarmAutoscaleNode(AutoscaleNode):
    """`|swarmAutoscale()`."""

    call: ClassVar[str] = "swarmAutoscale"

    service_name: str = ""
    service_name_tag: str = ""
    output_service_name_tag: str = ""

    def validate(self) -> None:
        """Check that the required properties are set."""
        self.check("ServiceName", self.service_name, self.service_name_tag)

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "swarm_autoscale"


@dataclass(eq=False, slots=True)
class Ec2AutoscaleNode(AutoscaleNode):
    """`|ec2Autoscale()`."""

    call: ClassVar[str] = "ec2Autoscale"

    group_name: str = ""
    group_name_tag: str = ""
    output_group_name_tag: str = ""

    def validate(self) -> None:
        """Check that the required properties are set."""
        self.check("GroupName", self.group_name, self.group_name_tag)

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "ec2_autoscale"


def k8s_autoscale(parent: Node) -> K8sAutoscaleNode:
    """`|k8sAutoscale()`."""
    return link(K8sAutoscaleNode(), parent)


def swarm_autoscale(parent: Node) -> SwarmAutoscaleNode:
    """`|swarmAutoscale()`."""
    return link(SwarmAutoscaleNode(), parent)


def ec2_autoscale(parent: Node) -> Ec2AutoscaleNode:
    """`|ec2Autoscale()`."""
    return link(Ec2AutoscaleNode(), parent)
