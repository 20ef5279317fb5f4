"""Verdicts of commands that found nothing to do, kept for the next time."""

from __future__ import annotations

from collections.abc import Mapping

from scaffold import report as reporting
from scaffold.disk import verdicts
from scaffold.project import Project
from scaffold.rendering import product
from scaffold.report import Report


def remember(project: Project, report: Report, seen: Mapping[str, str]) -> None:
    """Keep a command's report, with everything that it depends on.

    Args:
        project: the project.
        report: the report, which has no changes.
        seen: digests of the project's files that the command read.
    """
    lines = list(reporting.lines(report))
    root = str(project.root)
    verdicts.remember(root, report.command, lines, seen, product.loaded())
