"""Where code generators put what they make, as their own configuration says.

What is made there need not be in the checkout, so an import that leads into it is no mistake.
"""

from __future__ import annotations

import re
from functools import cached_property

from connlint.patterns import regex
from connlint.project.javascript_files import Files, folder_of, join

_CONFIGURATION = regex(
    r"\.prisma$|(?:^|/)(?:buf\.gen(?:\.[\w-]+)?\.ya?ml|package\.json|(?:graphql-?)?codegen(?:\.[\w-]+)?\.(?:ya?ml|json|[cm]?[jt]s)|"
    r"\.?graphql\.?(?:rc|config)(?:\.\w+)?|orval\.config\.[cm]?[jt]s|openapi-ts\.config\.[cm]?[jt]s|kubb\.config\.[cm]?[jt]s|"
    r"relay\.config\.(?:json|[cm]?[jt]s)|openapitools\.json|typegen\.(?:json|[cm]?[jt]s)|tsr\.config\.json)$"
)
"""Files in which Prisma, Buf, GraphQL Code Generator, Orval, Hey API, Kubb, Relay, … are told where to write."""
_OUTPUT = regex(
    r"""["']?\b(?:output|out|outputDir|outDir|outputFile|target|schemas|path|artifactDirectory|generatedRouteTree)["']?"""
    r"""\s*[:=]\s*["']?(\.{0,2}/?[\w@.~-]+(?:/[\w@.~-]+)*/?)["']?"""
)
_GENERATES = regex(r"""["']?(\.{0,2}/?[\w@.~-]+(?:/[\w@.~-]+)+/?)["']?\s*:""")
"""A key of ``generates:``, which is a path."""
_OPTION = regex(
    r"""(?:\s-o|--(?:\w+[-_])?out(?:put|[-_]?dir|[-_]?file|[-_]?path)?)[\s=]+["'\\]*([\w@./~-]*/[\w@./~-]+)"""
)
"""The place that a command in a script is told to write to; one word alone is too often something else."""

_FOLDER = regex(r"""--out[-_]?[dD]ir[\s=]+["'\\]*(?:\./)?(\.?\w[\w.-]*)/?(?=[\s"'\\;&|]|$)""")
"""A folder of one word in which a compiler is told to put everything: a name of its own where no folder has it."""


class Generators:
    """The places of one project into which code is generated."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def makes(self, path: str) -> bool:
        """Whether a generator of the project may put a file at ``path``."""
        return any(path == place or path.startswith((place + "/", place + ".")) for place in self._places)

    @cached_property
    def _places(self) -> frozenset[str]:
        found: set[str] = set()
        for path in sorted(self.files.tree.paths):
            if _CONFIGURATION.search(path):
                text = (self.files.tree.read(path) or b"").decode("utf-8", "replace")
                found.update(self._named(path, text))
        return frozenset(found)

    def _named(self, path: str, text: str) -> set[str]:
        if path.endswith("package.json"):
            named = _OPTION.findall(text)
        else:
            named = _OUTPUT.findall(text)
            if "generates" in text:
                named += _GENERATES.findall(text)
        places = {join(folder_of(path), re.sub(r"\.[cm]?[jt]sx?$", "", name)) for name in named}
        # The folder in which the sources stand too says nothing: it would silence every import of the project
        found = {place for place in places if place and "/" in place.removeprefix(folder_of(path)).strip("/")}
        if path.endswith("package.json"):
            made = {join(folder_of(path), name) for name in _FOLDER.findall(text)}
            found.update(place for place in made if place and place not in self.files.tree.folders)
        return found
