"""Whether loading a file can run code of its project, seen without parsing: what a chain of calls has to start with.

Imported when single files are asked about, before any check is: keep it light.
"""

from __future__ import annotations

from connlint.languages.python.outline import scan_imports
from connlint.languages.python.regions import regions
from connlint.model.region import outside
from connlint.patterns import regex
from connlint.project.linker import Linker

_CALLED = regex(rb"(?<![\w.])(?:@[ \t]*([A-Za-z_]\w*)|([A-Za-z_]\w*)(?:\.\w+)*[ \t]*\()")
_DEFINED = regex(rb"(?:^|\n)[ \t]*(?:async[ \t]+def|def|class)[ \t]+(\w+)")
_HEAD = regex(rb"(?:\bdef|\bclass)[ \t]+\Z")


def runs_ours(linker: Linker, path: str, data: bytes) -> bool:
    """Whether the top level of ``path`` calls something that it defines, or imports from this project.

    Never wrongly False for Python. Nothing is told of other languages: True.
    """
    if not path.endswith((".py", ".pyi")):
        return True
    at_top = outside(regions(data))
    called = {
        found[1] or found[2] for found in _CALLED.finditer(data)
        if at_top(found.start())
        and not _HEAD.search(data, max(0, found.start() - 12), found.start())
    }
    if not called.isdisjoint(_DEFINED.findall(data)):
        return True
    for line in scan_imports(data):
        names = {local for _, local, _ in line.names} | ({line.local} if line.local else set())
        if any(name == "*" or name.encode() in called for name in names):
            below = [f"{line.module}.{name}" for name, _, _ in line.names]
            if any(linker.target(path, module) is not None for module in (line.module, *below)):
                return True
    return False
