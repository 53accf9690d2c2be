"""The files of the project that commands start: what a target names, and what a framework's own starter runs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from connlint.project import jsonc
from connlint.project.answer import Found
from connlint.project.compiled import likely_source
from connlint.project.importers import CODE
from connlint.project.start import Start


def targets_of(start: Start) -> Iterator[str]:
    """The file that ``start`` starts, where it is known; of what a compiler makes, the source."""
    target = start.module_target or start.target
    if target is None and (entry := _listed_entry(start)) is not None:
        yield entry
        return
    if target is None and start.entry.get("itself") and len(start.grounds) == 1:
        named = (word.value for word in start.command.words if (word.value or "").endswith(start.tool))
        answers = (start.grounds[0].find(name) for name in named if name)
        yield from (answer.path for answer in answers if isinstance(answer, Found) and answer.path.endswith(CODE))
    if target is None or len(start.grounds) != 1 or start.script(start.grounds[0]) is not None:
        return
    stem = target.module if target.is_path else target.module.replace(".", "/")
    inside = ("__main__", "__init__") if target is start.module_target else ("__init__", "__main__")
    places = [stem, f"{stem}.py", *(f"{stem}/{name}.py" for name in inside)]
    if start.entry["form"] == "celery" and "." in target.module and target.attribute is None:
        # it takes an attribute of a module behind a dot as well
        outer = stem.rpartition("/")[0]
        places += [f"{outer}.py", f"{outer}/__init__.py"]
    if start.entry["language"] == "javascript":
        places = [stem + ending for ending in ("", *CODE[1:], *(f"/index{ending}" for ending in CODE[1:]))]
    # what is installed from a project mostly stands in ``src``
    installed = () if target.is_path else ("src",)
    search = ("",) if start.search is None and target.is_path else start.search
    for prefix in (*search, *installed) if search is not None else ():
        for path in places:
            answer = start.grounds[0].find(f"{prefix}/{path}" if prefix else path)
            if isinstance(answer, Found) and answer.path.endswith(CODE):
                yield answer.path
                return
    running = start.running
    if target.is_path and running is not None and start.entry["language"] == "javascript":
        folder = running.service.build or (posixpath.dirname(running.image.path) if running.image is not None else "")
        if (source := likely_source(start.grounds[0].tree, folder, target.module)) is not None:
            yield source


def _listed_entry(start: Start) -> str | None:
    """The file that ``start`` runs by the list that its tool reads (``projects_file``); None where that is not known.

    Facts: Nest's CLI runs ``sourceRoot``/``entryFile`` of the project that it is told, or of the file itself where it
    is told none; they are ``src`` and ``main`` unless they are given.
    """
    name = start.entry.get("projects_file")
    if name is None or len(start.grounds) != 1 or start.options.unknown or start.options.has(start.listed("elsewhere")):
        return None
    ground = start.grounds[0]
    answer = ground.find(name)
    table = jsonc.mapping(jsonc.loads(ground.tree.read(answer.path)) if isinstance(answer, Found) else {})
    plain = start.options.plain
    if plain:
        table = jsonc.mapping(jsonc.mapping(table.get("projects")).get(plain[0].value or ""))
        if not table:
            return None
    root, entry = table.get("sourceRoot", "src"), table.get("entryFile", "main")
    if not isinstance(root, str) or not isinstance(entry, str):
        return None
    found = ground.find(posixpath.join(root, f"{entry.removesuffix('.js')}.ts"))
    return found.path if isinstance(found, Found) and not found.path.endswith("/") else None
