"""Projects in memory, to generate handlers without a disk or a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from scaffold import ejected, state
from scaffold.adoption import adopted
from scaffold.commands.revision import revised
from scaffold.evolution import evolved
from scaffold.findings import Finding, examined
from scaffold.generate import ChangeSet, generate, generate_all
from scaffold.handlers import kinds
from scaffold.layout.style import PLAIN
from scaffold.names import Names, default_property, rewording
from scaffold.places import spec_path
from scaffold.refusal import refuse
from scaffold.renaming import Renaming
from scaffold.rendering.render import render
from scaffold.shared import Fresh
from scaffold.spec.edits import Edits
from scaffold.spec.identity import renamed
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import parse
from scaffold.tree import MemoryTree
from scaffold.wanted import Wanted, nothing, wanted


class Project:
    """A project in memory.

    Attributes:
        files: by path.
        package: the import package of its handlers.
        skip: documentation in which nothing is registered.
        fresh: gives the shared files of a new project.
    """

    fresh: Fresh

    def __init__(
        self, files: Mapping[PurePosixPath, bytes], package: str = "runtime"
    ) -> None:
        self.files = dict(files)
        self.package = package
        self.skip: frozenset[PurePosixPath] = frozenset()
        self.fresh = lambda path: None

    @property
    def tree(self) -> MemoryTree:
        """Its files as the core reads them."""
        return MemoryTree(self.files)

    def text(self, path: str) -> str:
        """The text of a file."""
        return self.files[PurePosixPath(path)].decode()

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file as a person would."""
        text = self.text(path)
        assert old in text
        self.files[PurePosixPath(path)] = text.replace(old, new, 1).encode()

    def remove(self, path: str) -> None:
        """Remove a file, or all files in a folder."""
        folder = PurePosixPath(path)
        for each in list(self.files):
            if each == folder or folder in each.parents:
                del self.files[each]

    def create(self, spec: str) -> ChangeSet:
        """Generate a handler from the text of its spec."""
        want = wanted(parse(spec), self.package, render, self.skip)
        return self._apply(refuse(generate(want, self.tree, self.fresh)))

    def regenerate(self, *names: str) -> ChangeSet:
        """Regenerate handlers; all of them if none is named."""
        return self._apply(
            refuse(generate_all(self.wants(*names), self.tree, self.fresh))
        )

    def remove_handler(self, kind: str, *, discards_edits: bool = False) -> ChangeSet:
        """Remove a handler."""
        want = nothing(kind, self.package, discards_edits=discards_edits)
        return self._apply(refuse(generate(want, self.tree, self.fresh)))

    def adopt(self, kind: str) -> ChangeSet:
        """Make the record of a handler again."""
        [want] = self.wants(kind)
        return self._apply(adopted(want, self.tree))

    def eject(self, path: PurePosixPath) -> None:
        """Leave a generated file to its owner."""
        changes = ejected.added(self.tree, [path])
        self._apply(ChangeSet(tuple(changes)))

    def evolve(self, kind: str, edits: Callable[[HandlerSpec], Edits]) -> ChangeSet:
        """Edit the spec of a handler, and regenerate it."""
        path = spec_path(kind, self.package)
        spec = parse(self.text(str(path)), str(path))
        data = revised(self.files[path], edits(spec), path)
        want = wanted(parse(data.decode()), self.package, render, self.skip)
        return self._apply(refuse(evolved(want, data, self.tree, self.fresh)))

    def rename_handler(
        self, old: str, new: str, *, property: str = "", title: str = ""
    ) -> ChangeSet:
        """Give a handler another name."""
        path = spec_path(old, self.package)
        spec = parse(self.text(str(path)))
        names = Names(new, property or default_property(new))
        data = revised(self.files[path], renamed(spec, names, title), path)
        after = parse(data.decode())
        kept = [spec.title] if spec.title == after.title else []
        reword = rewording(spec.names, names, kept)
        renaming = Renaming(self.package, spec.names, names, reword, PLAIN)
        want = wanted(after, self.package, render, self.skip)
        record = state.read(self.tree, old)
        assert record is not None
        return self._apply(
            refuse(renaming.applied(self.tree, record, data, want, self.fresh))
        )

    def check(self, *names: str) -> list[Finding]:
        """Return the findings for handlers, or for all of them if none is named."""
        tree = self.tree
        return [
            each
            for want in self.wants(*names)
            for each in examined(want, tree, self.fresh)
        ]

    def codes(self, *names: str) -> list[str]:
        """The codes of what is wrong."""
        return [finding.code for finding in self.check(*names)]

    def wants(self, *names: str) -> list[Wanted]:
        """Return the wanted state of handlers, or of all of them if none is named."""
        tree = self.tree
        with_spec = kinds(tree, self.package)
        gone = sorted(set(state.kinds(tree)) - set(with_spec))
        chosen = names or (*with_spec, *gone)
        return [
            self._want(kind) if kind in with_spec else nothing(kind, self.package)
            for kind in chosen
        ]

    def _want(self, kind: str) -> Wanted:
        spec = parse(self.text(f"{self.package}/services/{kind}/handler.toml"))
        return wanted(spec, self.package, render, self.skip)

    def _apply(self, result: ChangeSet) -> ChangeSet:
        for change in result.changes:
            assert self.files.get(change.path) == change.before
            if change.after is None:
                del self.files[change.path]
            else:
                self.files[change.path] = change.after
        return result


def record(kind: str) -> str:
    """Return the path of the record of a handler."""
    return str(state.path(kind))
