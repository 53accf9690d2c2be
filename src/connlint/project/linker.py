"""What every language's linker can be asked. Linkers work on bytes first and parse only what that cannot settle."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from connlint.model.source import Span
from connlint.project.answer import Answer
from connlint.project.tree import Tree


class UsedName(Struct, frozen=True):
    """A name taken from an imported module: in the import itself, or as a member of the imported module."""

    name: str
    at: Span
    in_import: bool = True


class ImportUse(Struct, frozen=True):
    """One import as a file writes it. ``module`` has Python's leading dots or JavaScript's specifier.

    ``excused`` says why a missing module or name is on purpose here (guarded by ``except ImportError``, type checking
    only, a platform branch, an optional require in ``try``, …); None where it would be a fault. ``breaks`` tells what a
    missing name does: "import" stops the program while it loads, "use" gives undefined and fails later, "check" only
    makes the type checker complain, since the compiler drops what nothing uses; "nothing" does not even that.
    ``settled`` says that the linker has already seen the module and all of ``names``, so that nobody need ask again.
    """

    module: str
    module_at: Span
    names: tuple[UsedName, ...]
    excused: str | None = None
    breaks: str = "import"
    settled: bool = False


class Linker(Protocol):
    """Resolution and outlines of one language. Paths are relative to the root of the project."""

    tree: Tree
    unknown: int
    """Of how many imports of the file whose `imports` were asked for last it is not known where they lead, although
    they may well lead to a file of the project."""

    def resolve(self, path: str, module: str) -> Answer:
        """The file that ``module``, imported by the file ``path``, means. Installed packages are Unknown."""

    def target(self, path: str, module: str) -> str | None:
        """The path of what `resolve` finds, None where it finds nothing. Why there is nothing is not asked, which may
        take a look at all files of the project."""

    def home(self, target: str, name: str) -> str | None:
        """The file that defines ``name`` for whoever imports ``target``, as far as bytes show one."""

    def imports(self, path: str, data: bytes) -> list[ImportUse]:
        """Every import of the file, with the names it takes, as far as they can be known."""

    def lookup(self, path: str, use: ImportUse, name: str) -> Answer:
        """Whether the module of ``use``, seen from ``path``, defines ``name``.

        `Found` names the file that defines it (after re-exports), `Missing` has in ``near`` the name that was probably
        meant and in ``tried`` the modules of the project that do define ``name``. Any doubt is `Unknown`.
        """

    def spelled(self, path: str, module: str, target: str) -> str | None:
        """How ``path``, which writes ``module`` today, would import the file ``target``; None where it could not."""
