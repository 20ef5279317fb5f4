"""`httpPost`: posts the points and batches that pass.

The compute thread never waits for an endpoint: rows are posted from the event loop, in
order. Points are passed on at once. With `codeField` they are passed on after their post,
with its status.

Source: Kapacitor http_post.go.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from runtime.alert.types import Row
from runtime.errors import ConfigError, DeliveryError, TaskError
from runtime.frames import Batch, Batches, Frame, Point
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier, GroupedNode
from runtime.nodes.post_queue import Step
from runtime.nodes.rows import batch_row, point_row
from runtime.outbound.headers import HeaderNameError, check_names
from runtime.pipeline import output as pipeline
from runtime.services.httppost.config import Config
from runtime.services.httppost.service import Endpoint, HandlerConfig, Service

# Maximum number of waiting rows of a node; further rows are lost.
MAX_WAITING = 10_000

PassOn = Callable[[int], None]


class HTTPPostNode(GroupedNode):
    """Posts the data that passes, as JSON or with the endpoint's row template."""

    def __init__(self, spec: pipeline.HTTPPostNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        service = environment.services.of_kind("post")
        if not isinstance(service, Service):
            raise TaskError("no service for httpPost")
        self._service = service
        self._name = spec.endpoints[0] if spec.endpoints else ""
        self._endpoint = self._at_start(spec)
        try:
            check_names(spec.headers)
        except HeaderNameError as error:
            raise TaskError(f"headers: {error}") from None
        self._options = HandlerConfig(
            headers=dict(spec.headers),
            capture_response=spec.capture_response,
            timeout=spec.timeout,
        )
        self._code_field = spec.code_field
        self._queue = environment.posts.open(lambda step: environment.resume(step))
        self._is_full = False
        self._is_closed = False

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self._met.add(point.group)
        # built when it is posted: thousands may wait, and a row is mostly copies
        row = functools.partial(point_row, point)
        if self._code_field:
            self._post(row, lambda code: self.emit_point(self._with_code(point, code)))
        else:
            self._post(row)
            self.emit_point(point)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        # each point waits for its own response and is passed on by itself
        if self._code_field:
            super().frame(frame)
            return
        self.meet(frame.group_ids)
        for point in frame.points():
            self._post(functools.partial(point_row, point))
        self.emit_frame(frame)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self._met.add(batch.group)
        row = functools.partial(batch_row, batch)
        if self._code_field:
            self._post(row, lambda code: self.emit_batch(self._coded(batch, code)))
        else:
            self._post(row)
            self.emit_batch(batch)

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        if self._code_field:
            super().batches(batches)
            return
        self.meet(batches.group_ids)
        for batch in batches:
            self._post(functools.partial(batch_row, batch))
        self.emit_batches(batches)

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier; it is passed on after the points before it."""
        if not self._code_field or self._queue.is_idle:
            super().barrier(barrier)
            return
        # queued with a step that posts nothing: if it overtook waiting points, it could
        # end their window too early
        follow = functools.partial(super().barrier, barrier)

        async def nothing() -> Step:
            return functools.partial(self._unless_closed, follow)

        self._queue.put(nothing)

    def close(self) -> None:
        """Stop passing points on; queued rows are still posted."""
        self._is_closed = True

    def _at_start(self, spec: pipeline.HTTPPostNode) -> Endpoint:
        """The target at the start of the task.

        Raises:
            TaskError: the URL is invalid, or the endpoint does not exist.
        """
        if spec.urls:
            try:
                return Endpoint.of(Config(url=spec.urls[0]))
            except ConfigError as error:
                raise TaskError(str(error)) from error
        # looked up again for each post, as the configuration may change
        found = self._service.endpoint(self._name)
        if found is None:
            raise TaskError(f"endpoint '{self._name}' does not exist")
        return found

    def _post(self, row: Callable[[], Row], pass_on: PassOn | None = None) -> None:
        if len(self._queue) < MAX_WAITING:
            self._is_full = False
            self._queue.put(functools.partial(self._exchange, row, pass_on))
            return
        # every loss is counted, but only the first is logged: a hung endpoint would fill
        # the log
        if self._is_full:
            self.errors += 1
        else:
            self._is_full = True
            text = f"{MAX_WAITING} rows are waiting; further rows are lost"
            self.error("failed to POST data", text)
        # the row is lost, but the point is passed on: following nodes must not depend on
        # the endpoint
        if pass_on is not None:
            pass_on(0)

    async def _exchange(
        self, row: Callable[[], Row], pass_on: PassOn | None
    ) -> Step | None:
        """Post a row; return the next step of the task, if there is one."""
        code = 0
        failed: Step | None = None
        endpoint = self._service.endpoint(self._name) if self._name else None
        try:
            code, problem, replaced = await self._service.post_row(
                endpoint or self._endpoint, self._options, row()
            )
        except DeliveryError as error:
            failed = functools.partial(self.error, "failed to POST data", error)
        else:
            if replaced:
                text = "failed to execute row-template: posted the row as JSON"
                failed = functools.partial(self.error, text, replaced)
            if problem:
                failed = functools.partial(
                    self.error,
                    "POST returned non 2xx status code",
                    problem,
                    code=code,
                )
        # every step interrupts the compute thread, so it is left out if it has no work
        if failed is None and pass_on is None:
            return None
        return functools.partial(self._done, failed, pass_on, code)

    def _done(self, failed: Step | None, pass_on: PassOn | None, code: int) -> None:
        if failed is not None:
            failed()
        if pass_on is not None:
            self._unless_closed(functools.partial(pass_on, code))

    def _unless_closed(self, step: Step) -> None:
        if not self._is_closed:
            step()

    def _with_code(self, point: Point, code: int) -> Point:
        return point.replace(fields={**point.fields, self._code_field: code})

    def _coded(self, batch: Batch, code: int) -> Batch:
        points = [self._with_code(point, code) for point in batch.points]
        return batch.with_points(points)
