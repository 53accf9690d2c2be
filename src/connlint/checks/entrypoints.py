"""Start commands whose target is not there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from connlint.cards import Card, Rules
from connlint.model.finding import Draft, Place, Step
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.applications import Applications
from connlint.project.compiled import by_hand, likely_source, source_of
from connlint.project.grounds import Folder, Ground, Inside
from connlint.project.project import Project
from connlint.project.rewording import reworded
from connlint.project.services import Services
from connlint.project.slips import is_slip
from connlint.project.start import Start, Target
from connlint.project.starts import Starts
from connlint.project.targets import targets_of
from connlint.project.tree import Tree, above

_BUILT = regex(
    r"(?:^|/)(?:dist|build|out|output|lib|bin|target|release|public|\.[\w-]+|node_modules|esm|cjs|es)(?:/|$)"
)
"""Folders in which builds leave what they make."""
_STARTED = (rb"(?:[\w.-]*\b(?:python[\d.]*|node|tsx|ts-node|dev|nodemon|bun|deno|run|watch)\b[\"',\s]+"
            rb"(?:--?[\w=-]+[\"',\s]+)*[\"']?[\w./-]*|\"main\"\s*:\s*\"(?:\./)?)")
"""What stands before a file where it is started or loaded, and not written or downloaded."""
_TEMPLATES = (".j2", ".jinja", ".jinja2", ".tmpl", ".template", ".tpl", ".in", ".mustache", ".hbs", ".ejs", ".erb",
              ".example", ".sample", ".dist", ".tt", "-tpl")
"""Endings of files from which a file without the ending is made."""
_NOT_RUN = regex(
    r"(?:^|/)(?:testdata|test_data|fixtures?|__fixtures__|templates?|cookiecutters?|vendor|third_party)/|\{\{|\{%"
)
_FIRST_OF_IMPORT = regex(rb"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_SCRIPTS = (".sh", ".bash")
_SCRIPT_OF = regex(rb"\"(?:pre|post)?(?:lint|format|fmt|prettier|eslint|type-?check|types|docs?|clean)"
                   rb"(?:[:_-][\w:.-]*)?\"[ \t]*:[ \t]*\"(?:[^\"\\\n]|\\.)*+$")
"""The beginning of a script of a package that looks at its code, up to some word of it."""
Verdict = Draft | None


def check_found(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Targets that do not exist.

    Outcomes: "module", "package" (one that cannot be started), "attribute", "no-attribute" (the server asks for one),
    "file" and "script". Slots: ``tool``,
    ``target``, ``module``, ``attribute``, ``where`` (the file or folder that lacks it), ``hint`` ("" or from ";" on).
    """
    for draft in agreed(project, rules, _missing):
        checks = _SCRIPT_OF.search((project.tree.read(draft.place.path) or b"")[:draft.place.at[0]])
        # nothing that is deployed starts what looks at the code
        lighter = checks is not None and draft.place.path.endswith("package.json")
        yield replace(draft, level="warning") if lighter else draft


def agreed(project: Project, rules: Rules, judge: Any) -> Iterator[Draft]:
    """What all starts say that stand at one place: a Dockerfile may be used by several services."""
    applications = Applications.of(project, rules.apis)
    verdicts: dict[tuple[str, tuple[int, int]], list[Verdict]] = {}
    for start in Starts.of(project, rules.apis).standing_in(project.reported):
        if _NOT_RUN.search(start.path):
            continue
        for target in (start.target, start.module_target):
            if target is not None:
                found = judge(start, target, applications)
                verdicts.setdefault((target.place.path, target.place.at), []).append(found)
    for rows in verdicts.values():
        if rows[0] is not None and all(row is not None for row in rows):
            yield rows[0]


def understood(start: Start, applications: Applications) -> str:
    """"resolved" where a start's target is there or none is needed, "missing" where it is not, "installed" where it is
    no module of the project's, else "unknown"."""
    target = start.module_target or start.target
    if target is None:
        inline = not start.options.plain or start.options.has(["-c", "-", *start.listed("stops")])
        return "resolved" if inline or start.entry["form"] == "none" else "unknown"
    if _missing(start, target, applications) is not None:
        return "missing"
    if any(start.script(ground) or _source(ground, target) for ground in start.grounds):
        return "resolved"
    if next(targets_of(start), None) is not None:
        return "resolved"
    answers: list[Answer] = []
    for ground in start.grounds:
        if start.entry["form"] == "script":
            answers.append(Unknown("no script of the package"))
        elif target is start.module_target:
            answers.append(applications.module(start, ground, target.module))
        elif target.is_path and start.entry["form"] != "path":
            answers.append(_found_file(start, ground, target.module))
        else:
            answers.append(resolved(start, ground, target, applications))
    if any(isinstance(answer, Found) for answer in answers):
        return "resolved"
    why = {answer.why if isinstance(answer, Unknown) else "" for answer in answers}
    return "installed" if why == {"may be installed"} else "unknown"


def _source(ground: Ground, target: Target) -> str | None:
    """What the package of ``ground`` makes the target from, as far as its name tells."""
    package = ground.find("package.json") if target.is_path else None
    if not isinstance(package, Found):
        return None
    return likely_source(ground.tree, posixpath.dirname(package.path), target.module)


# -- missing ----------------------------------------------------------------------------------------------------------


def _missing(start: Start, target: Target, applications: Applications) -> Verdict:
    if not start.grounds or start.command.open:
        return None
    form = start.entry["form"]
    if form == "script":
        return _script(start, target)
    if target is start.module_target:
        return _module_run(start, target, applications)
    if target.is_path and form != "path":
        return _compiled(start, target, applications) or _file(start, target, applications)
    answers = [resolved(start, ground, target, applications) for ground in start.grounds]
    if all(isinstance(answer, Missing) for answer in answers):
        if start.configured:
            return None
        return _draft("module", start, target, _tried(answers), _near_module(start, target, answers, applications),
                      meant=_one_application(start, target, answers, applications))
    if any(isinstance(answer, Unknown) for answer in answers):
        # a guessed folder without the target is not where the command runs, if another one has it
        if not start.loose or not any(isinstance(answer, Found) for answer in answers):
            return None
    return _attribute(start, target, [a.path for a in answers if isinstance(a, Found)], applications)


def resolved(start: Start, ground: Ground, target: Target, applications: Applications) -> Answer:
    """The file that the target means in ``ground``."""
    if target.is_path:
        stem = target.module.removesuffix(".py")
        # who takes a file imports its name, and a package goes before a module
        package = ground.find(f"{stem}/__init__.py")
        return package if isinstance(package, Found) else _found_file(start, ground, f"{stem}.py")
    answer = applications.module(start, ground, target.module)
    if isinstance(answer, Missing) and start.entry["form"] == "celery" and target.attribute is None:
        head, _, tail = target.module.rpartition(".")
        inner = applications.module(start, ground, head) if head else answer
        if isinstance(inner, Found) and not isinstance(applications.attribute(inner.path, tail), Missing):
            return Unknown("an attribute")
        return inner if isinstance(inner, Unknown) else answer
    return answer


def _attribute(start: Start, target: Target, paths: list[str], applications: Applications) -> Verdict:
    names = [target.attribute] if target.attribute else start.listed("defaults")
    form = start.entry["form"]
    if not target.attribute and form == "attribute" and not start.entry.get("several"):
        return _draft("no-attribute", start, target, paths[0], _near_attribute(target, paths[0], applications),
                      meant=_only_attribute(start, target, paths, applications))
    if not names or (not target.attribute and start.configured):
        return None
    for path in paths:
        if not path.endswith(".py"):
            return None
        for name in names:
            if not isinstance(applications.attribute(path, name), Missing):
                return None
    if start.listed("attribute_flags") and (target.is_path or start.options.has(start.listed("attribute_flags"))):
        # an option of its own says which it is
        return _draft("attribute", start, target, paths[0], "", names[0])
    return _draft("attribute", start, target, paths[0], _near_attribute(target, paths[0], applications), names[0],
                  _only_attribute(start, target, paths, applications))


def _module_run(start: Start, target: Target, applications: Applications) -> Verdict:
    answers: list[Answer] = []
    for ground in start.grounds:
        answer = applications.module(start, ground, target.module)
        answers.append(answer)
    if answers and all(isinstance(answer, Missing) for answer in answers):
        near = next((a.near for a in answers if isinstance(a, Missing) and a.near), None)
        return _draft("module", start, target, _tried(answers), f"; did you mean '{near}'?" if near else "",
                      meant=near if near and is_slip(target.text, near) else None)
    tree = applications.project.tree
    bare = [posixpath.dirname(it.path) for it in answers if isinstance(it, Found) and it.path.endswith("/__init__.py")]
    if len(bare) == len(answers) and not any(
            tree.exists(f"{folder}/{name}") for folder in bare for name in ("__main__.py", "__main__/__init__.py")):
        return _draft("package", start, target, f"{bare[0]}/__main__.py", "")
    return None


def _file(start: Start, target: Target, applications: Applications) -> Verdict:
    path = target.module
    if not path or "*" in path or "://" in path or path.startswith(("/", "~", "-", "$")):
        return None
    if start.entry["language"] == "python" and not path.endswith(".py"):
        return None
    if start.entry["language"] == "javascript" and (_BUILT.search(path) or not re.search(r"\.[cm]?[jt]sx?$", path)):
        return None
    answers = [_found_file(start, ground, path) for ground in start.grounds]
    near = _near_file(start, path)
    # a folder that is not there may be put there, but not beside one that is, or where what is deployed has none
    known = not (start.path.startswith(".github/") and len(start.grounds) > 1)  # else others are checked out beside it
    given = start.running is not None and not start.loose
    if given or (known and (near is not None or any(isinstance(a, Missing) for a in answers))):
        answers = [Missing(_GONE, (path,)) if isinstance(a, Unknown) and a.why == _GONE else a for a in answers]
    if not answers or not all(isinstance(answer, Missing) for answer in answers):
        return None
    if all(isinstance(a, Missing) and a.reason == _GONE for a in answers) and _is_spoken_of(start, path):
        return None
    if _is_renamed(path, applications) or _is_made(start, path) or _stands_above(start, path):
        return None
    if start.loose and _is_for_another_folder(start, applications):
        return None
    if "/" not in posixpath.normpath(path) and _is_built(start):
        return None
    hint = f"; did you mean '{near}'?" if near is not None else ""
    return _draft("file", start, target, _tried(answers), hint, meant=near)


def _near_file(start: Start, path: str) -> str | None:
    """The one file that surely was to be started: of the same name in a folder that is written like the other, or of
    the same place with another ending. None where the folder is not known in which the command runs."""
    if len(start.grounds) != 1:
        return None
    ground, tree = start.grounds[0], start.grounds[0].tree
    stem, dot, end = path.rpartition(".")
    others = {f"{stem}.{other}" for other in _RUN if dot and end in _RUN and other != end}
    first, slash, rest = path.removeprefix("./").partition("/")
    if slash:
        folders = {folder.rpartition("/")[2] for folder in tree.folders}
        others |= {f"{folder}/{rest}" for folder in folders if is_slip(first, folder)}
    found = [other for other in sorted(others) if isinstance(ground.find(other), Found)]
    return found[0] if len(found) == 1 else None


def _compiled(start: Start, target: Target, applications: Applications) -> Verdict:
    """A program of a compiler's output for which there is no source."""
    linker: Any = applications.project.linkers.get("javascript")
    path = target.module
    if linker is None or start.entry["language"] != "javascript" or not re.search(r"\.[cm]?js$", path):
        return None
    image = start.running.image if start.running is not None else None
    steps = by_hand(image) if image is not None else None
    answers: list[Answer] = []
    for ground in start.grounds:
        if isinstance(ground.find(path), Found):
            return None
        package, made = _package_of(ground, path)
        if not isinstance(package, Found):
            return None
        answers.append(source_of(linker.resolver.configs, ground.tree, package.path, made, steps))
    if not answers or not all(isinstance(answer, Missing) for answer in answers):
        return None
    near = next((a.near for a in answers if isinstance(a, Missing) and a.near), None)
    return _draft("file", start, target, _tried(answers), f"; did you mean '{near}'?" if near else "",
                  meant=near if near and (is_slip(target.text, near) or _has_the_name_of(target, near)) else None)


def _package_of(ground: Ground, path: str) -> tuple[Answer, str]:
    """The package file of the package that makes ``path``, and what it calls it: the package in the folder where the
    command runs, or the one that another stage of the image builds, of which the output is copied."""
    origin = ground.copied_from(path) if isinstance(ground, Inside) else None
    if origin is None:
        return ground.find("package.json"), path
    stage, whole = origin
    runs = stage.stage.runs if stage.stage is not None else ()
    if any(_BUILDS.search(" ".join(word.value or word.written for word in run.words)) for run in runs):
        for folder in above(posixpath.dirname(whole)):
            package = stage.find(posixpath.join(folder, "package.json"))
            if isinstance(package, Found):
                return package, posixpath.relpath(whole, folder)
    return Unknown("made by a build"), path


_BUILDS = regex(r"^(?:npm run|yarn(?: run)?|pnpm(?: run)?) build$|\btsc\b")
"""The script that packages are built with, and the compiler itself."""
_GONE = "a folder that is not there"
_COMPILED = ("ts", "tsx", "mts", "cts", "jsx", "coffee")
"""Endings of files from which a compiler makes what Node runs."""
_RUN = ("js", "mjs", "cjs")
"""Endings of what Node runs as it is."""
_RECIPE = regex(r"(?:^|/)(?:[\w.-]*Dockerfile[\w.-]*|[Mm]akefile|[Jj]ustfile|\.\w+ignore|\.gitmodules)$|"
                r"\.(?:sh|ya?ml|json|toml|bash|mk|cfg)$")
"""Files that say what a build, a checkout or an image puts somewhere."""


def _found_file(start: Start, ground: Ground, path: str) -> Answer:
    """The file ``path``, or something it may be made from."""
    if "node_modules" in path.split("/"):
        return Unknown("may be installed")
    answer = ground.find(path)
    if not isinstance(answer, Missing):
        return answer
    stem, dot, end = path.rpartition(".")
    if start.entry["language"] == "javascript" and dot:
        for other in _COMPILED:
            if other != end and not isinstance(ground.find(f"{stem}.{other}"), Missing):
                return Unknown("made from another file")
    if any(not isinstance(ground.find(path + ending), Missing) for ending in _TEMPLATES):
        return Unknown("made from a template")
    folder = posixpath.dirname(path)
    if folder and not isinstance(ground.find(folder), Found):
        return Unknown(_GONE)
    return answer


def _is_spoken_of(start: Start, path: str) -> bool:
    """Whether a script, recipe or list of the project names the folder in which the file would be."""
    tree = start.grounds[0].tree
    folder = path.removeprefix("./").partition("/")[0].encode()
    named = re.compile(rb"(?<![\w.-])%s(?![\w.-]|[\"']?\s*:)" % re.escape(folder))
    return any(_RECIPE.search(other) and other != start.path and named.search(tree.read(other) or b"")
               for other in tree.paths)


def _is_renamed(path: str, applications: Applications) -> bool:
    """Whether an image gets another file of the project under this name."""
    name = posixpath.basename(path)
    return any(posixpath.basename(target) == name != posixpath.basename(source) or (
                   posixpath.basename(target) == name and posixpath.dirname(source) not in ("", "."))
               for image in Services.of(applications.project).images().values() for stage in image.stages
               for source, target, origin in stage.copies if origin is None and not target.endswith("/"))


def _is_made(start: Start, path: str) -> bool:
    """Whether the project mentions the file elsewhere, as something that is written or downloaded."""
    tree = start.grounds[0].tree if start.grounds else None
    if tree is None:
        return True
    name = posixpath.basename(path).encode()
    data = tree.read(start.path) or b""
    if start.target is not None and start.target.place.path == start.path:
        first, last = start.target.place.at
        data = data[:first] + data[last:] if name in data[first:last] else data
    mentions = data.count(name)
    if start.loose and any(p == path or p.endswith("/" + path) for p in tree.paths):
        return True
    return mentions > len(re.findall(_STARTED + re.escape(name), data))


def _stands_above(start: Start, path: str) -> bool:
    """Whether the file stands further up: a package file may be kept in one folder and used in another."""
    folders = [ground for ground in start.grounds if isinstance(ground, Folder)]
    return any(isinstance(Folder(ground.tree, folder).find(path), Found)
               for ground in folders for folder in above(ground.folder))


def _is_for_another_folder(start: Start, applications: Applications) -> bool:
    """Whether a script starts programs beside it that are not in the project either, so that it is for a folder where
    they are."""
    if not start.path.endswith(_SCRIPTS):
        return False
    data = applications.project.tree.read(start.path) or b""
    commands = next((d.commands for d in Services.of(applications.project).deployments() if d.path == start.path), ())
    others = {c.words[0].value or "" for c in commands if c.folder == start.command.folder and not c.open}
    # what is named twice may be made by the script
    return any(other.startswith("./") and data.count(posixpath.basename(other).encode()) == 1
               and all(isinstance(ground.find(other), Missing) for ground in start.grounds) for other in others)


def _is_built(start: Start) -> bool:
    """Whether a script of a package may run beside what its build makes, in a folder that only the build fills."""
    if start.running is not None or start.loose:
        return False
    data = jsonc.loads(start.grounds[0].tree.read(start.path)) if start.grounds else None
    scripts = data.get("scripts") if isinstance(data, dict) else None
    return isinstance(scripts, dict) and any(str(name).startswith("build") for name in scripts)


def _script(start: Start, target: Target) -> Verdict:
    if start.entry.get("may_be_program") or (start.loose and len(start.grounds) > 1 and start.command.folder == ""):
        return None
    if start.running is not None and start.running.image is not None and any(
            "package.json" in (word.value or word.written) or word.value == "pkg"
            for stage in start.running.image.stages for run in stage.runs for word in run.words):
        return None
    for ground in start.grounds:
        answer = ground.find("package.json")
        if not isinstance(answer, Found):
            return None
        data = jsonc.loads(ground.tree.read(answer.path))
        scripts = data.get("scripts") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(scripts, dict | None) or target.text in (scripts or {}):
            return None
        fallback = start.entry.get("fallback_file")
        if fallback and not isinstance(ground.find(fallback), Missing):
            return None
        import difflib

        near = difflib.get_close_matches(target.text, list(scripts or {}), 2, 0.75)
        return _draft("script", start, target, answer.path, f"; did you mean '{near[0]}'?" if near else "",
                      meant=near[0] if len(near) == 1 and is_slip(target.text, near[0]) else None)
    return None


# -- words ------------------------------------------------------------------------------------------------------------


def _draft(outcome: str, start: Start, target: Target, where: str, hint: str, attribute: str | None = None,
           meant: str | None = None) -> Draft:
    """``meant`` is what surely was to be started, where that is known."""
    slots = {"tool": start.tool, "target": target.text, "module": target.module,
             "attribute": attribute or target.attribute or "", "where": where, "hint": hint}
    related = tuple(_covered(start, where))
    if outcome == "attribute":
        related = (Step(Place(where, (0, 0)), f"this module does not define '{slots['attribute']}'"),)
    fix = reworded(start.grounds[0].tree, target.place, target.text, meant, f"Start {meant}") if meant else None
    return Draft(outcome, target.place, slots, f"{start.tool} {target.text}", related=related, fix=fix)


def _has_the_name_of(target: Target, near: str) -> bool:
    """Whether a file is the one that was named, in another folder."""
    return posixpath.basename(target.module) == posixpath.basename(near)


def _only_attribute(start: Start, target: Target, paths: list[str], applications: Applications) -> str | None:
    """The target with the one application that its module makes; None where there are none or several, and where
    something else than an application is asked for, such as a function that makes one."""
    if not start.entry.get("protocol") or is_called(start) or target.deeper:
        return None
    here = {name for made, name in applications.made if made in paths}
    return f"{target.module}:{here.pop()}" if len(here) == 1 and len(paths) == 1 and not target.call else None


def _one_application(start: Start, target: Target, answers: list[Answer], applications: Applications) -> str | None:
    """The target in another module of the folder: the one application there, or the one that is written like it.

    None where the folder is not known, or where a package has to be found by another way than from there.
    """
    tried = _tried(answers)
    file = target.module.replace(".", "/") + ".py"
    if not tried.endswith(file) or len(answers) != 1 or target.call or target.is_path or is_called(start):
        return None
    folder = tried[: -len(file)]
    made = {(path[len(folder):], name) for path, name in applications.made if path.startswith(folder)}
    spelled = {f"{path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}:{name}" for path, name in made}
    alike = [text for text in spelled if is_slip(target.text, text)]
    if len(alike) != 1 and (len(spelled) != 1 or not start.entry.get("protocol")):
        return None
    meant = alike[0] if len(alike) == 1 else spelled.pop()
    tree = start.grounds[0].tree
    if not re.fullmatch(r"[\w.]+:\w+", meant) or _imports_its_neighbours(tree, folder, meant.partition(":")[0]):
        return None
    return meant


def _imports_its_neighbours(tree: Tree, folder: str, module: str) -> bool:
    """Whether a module below ``folder`` imports files beside it as if its own folder were where the program runs."""
    own = f"{folder}{module.replace('.', '/')}"
    path = next((path for path in (f"{own}.py", f"{own}/__init__.py") if path in tree.paths), None)
    beside = posixpath.dirname(path) if path is not None else ""
    if path is None or beside == folder.rstrip("/"):
        return False
    words = {word.decode() for word in _FIRST_OF_IMPORT.findall(tree.read(path) or b"")}
    return any(f"{beside}/{word}{end}" in tree.paths and f"{folder}{word}{end}" not in tree.paths
               for word in words for end in (".py", "/__init__.py"))


def _covered(start: Start, where: str) -> Iterator[Step]:
    """Where a folder of the project is mounted over what the image holds, and ``where`` is looked for in it."""
    if start.running is None or start.running.image is None:
        return
    for host, target in start.running.service.mounts:
        if host == "." or where.startswith(host + "/"):
            yield Step(start.running.service.place, f"{host} is mounted over {target} of the image here")


def _tried(answers: list[Answer]) -> str:
    return next((a.tried[0] for a in answers if isinstance(a, Missing) and a.tried), "its file")


def _near_module(start: Start, target: Target, answers: list[Answer], applications: Applications) -> str:
    tried = _tried(answers)
    file = target.module.replace(".", "/") + ".py"
    folder = tried[: -len(file)].rstrip("/") if tried.endswith(file) else ""
    near = applications.nearest(target, folder) if start.entry.get("protocol") else None
    if near is None:
        return ""
    path, name = near
    # the very module in another folder is found from there, and mostly so is what it imports
    if not path.endswith("/" + file) and (not folder or path.startswith(folder + "/")):
        inside = path[len(folder):].lstrip("/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return f"; did you mean '{inside}:{name}'?"
    return f"; {path} defines '{name}'"


def _near_attribute(target: Target, path: str, applications: Applications) -> str:
    here = [name for made, name in applications.made if made == path]
    if here:
        return f"; did you mean '{target.module}:{here[0]}'?"
    near = applications.nearest(target, posixpath.dirname(path))
    return f"; {near[0]} defines '{near[1]}'" if near is not None else ""


def is_called(start: Start) -> bool:
    """Whether what is named is called first, and makes the application."""
    return start.options.has(start.listed("factory_flags")) or start.variable("factory_env") is not None
