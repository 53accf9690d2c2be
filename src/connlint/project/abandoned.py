"""Files of a program that nothing loads any more: no other file imports them, nothing names them, nothing starts them.

What a framework or a loader may find by itself is unknown, and so not abandoned; neither is anything in a project of
which too little is seen to import the rest, nor in a library, which is there for programs that are not seen.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from typing import Any

from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.gathering import GIVES, Gathering
from connlint.project.importers import CODE, importers
from connlint.project.javascript_files import folder_of
from connlint.project.module import Module
from connlint.project.naming import Naming, stem_of
from connlint.project.packages import IMAGES, own_root
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.stage import Stages, words_of
from connlint.project.test_runs import is_left_alone
from connlint.project.timeline import is_main_test

_MOST = 100
"""Files, one importing the other, that are looked at before one counts as loaded by somebody."""
_MOST_UNBUILT = 300
"""The same, for one in a folder that no package has."""
_TRANSLATED = (".ts", ".tsx", ".jsx", ".mts", ".cts")
_LOADED = ("production", "example")
"""Stages of files that others are there to load."""
_COMPANY = 3
"""Files of the package that others import, before one that nobody imports is told from a loose collection."""
_STARTED = frozenset(
    "index main server app cli worker start run bin www bootstrap entry entrypoint __main__ manage wsgi asgi daemon "
    "service lambda handler lambda_function preload background content popup sw setup conftest".split()
)
"""Names of files that programs start with, or that their surroundings look for."""
_FOUND_IN_PYTHON = frozenset(
    "models admin urls tasks settings celery celeryconfig middleware sitecustomize context_processors "
    "templatetags management dags plugins spiders pages custom_components handlers lambdas functions wagtail_hooks "
    "cms_plugins cms_apps cms_menus cms_toolbars search_indexes translation documents".split()
)
"""Names of files, and of folders around them, that frameworks of Python look for by themselves. (``apps`` as a folder
holds the programs of a repository. Django looks for no ``signals``: an application's ``ready`` has to import them.)"""
_BY_PLACE_ALONE = regex(
    rb'"(?:@strapi/[\w-]+|@medusajs/[\w-]+|@adonisjs/[\w-]+|sails|egg|moleculer|@redwoodjs/[\w-]+|blitz|@keystone-6/core|payload|'
    rb'nuxt|nitropack|fastify-cli|@fastify/autoload|@midwayjs/[\w-]+|@umijs/[\w-]+|umi|ice|serverless|sst|gatsby)"\s*:'
)
"""Packages that look into folders of many names; the others know pages and routes."""
_FOUND_IN_JAVASCRIPT = frozenset(
    "pages routes api middleware plugins functions subscribers jobs workflows commands events listeners loaders "
    "server start config policies services models controllers migrations lambdas handlers workers".split()
)
"""Names of folders whose files frameworks of JavaScript look for by themselves, where a package uses such a one."""
_IN_APP = (
    rb'nuxt|@nuxt/\w+|@sveltejs/kit|astro|gatsby|expo-router|@strapi/[\w-]+|@medusajs/[\w-]+|@adonisjs/[\w-]+|sails|egg|'
    rb'moleculer|@redwoodjs/[\w-]+|blitz|@keystone-6/core|payload|nitropack|vite-plugin-pages|unplugin-vue-router|vike|'
    rb'@tanstack/react-start|@tanstack/start|waku|hono-sessions|fastify-cli|@fastify/autoload|@midwayjs/[\w-]+|@umijs/[\w-]+|'
    rb'umi|ice|serverless|sst'
)
_ROLES = frozenset(
    "middleware service controller model schema route routes router module entity dto repository util utils helper "
    "helpers resolver guard pipe interceptor gateway strategy provider hook context store slice api types interface "
    "validator validation job queue processor listener subscriber consumer producer handler command usecase use-case "
    "adapter factory manager component view page".split())
"""Second names that say what a file is to its program; no tool knows them, but what the project tells of them."""
_MEANT = frozenset(
    "config native web ios android macos windows server client node browser edge stories min d prod production dev "
    "development local test spec mock setup e2e lazy remote telefunc page layout data paths loader global".split())
"""Second names that tools look for, or choose by the platform or stage they build for."""
_SOME = 2
"""Files of the same second name that others import."""
_LISTING = regex(
    r"(?:^|/)(?:[\w.-]*ormconfig|[\w.-]*orm\.config|package|tsconfig[\w.-]*|nest-cli|nodemon|angular|project)\.json$")
"""Files other than code that hold patterns of files to load."""
_COMPONENTS = (".vue", ".svelte")
"""Endings of files that are components, and no programs, whatever they do by themselves."""
_COMPONENT_FINDERS = regex(
    rb'"(?:nuxt\w*|@nuxt/[\w-]+|unplugin-vue-components|vite-plugin-components|vitepress|vuepress|@vuepress/[\w-]+|'
    rb'@slidev/[\w-]+|histoire|@storybook/[\w-]+|vue-cli-plugin-[\w-]*auto[\w-]*|vite-plugin-pages|'
    rb'unplugin-vue-router|vite-plugin-vue-layouts|@sveltejs/kit|@roxi/routify|laravel-mix|laravel-vite-plugin|'
    rb'@inertiajs/[\w-]+)"\s*:')
"""Packages that register components without an import."""
_FINDERS_IN_APP = regex(rb'"(?:' + _IN_APP + rb')"\s*:')
_FINDERS = regex(rb'"(?:next|@remix-run/[\w-]+|@react-router/[\w-]+|' + _IN_APP + rb')"\s*:')
"""Packages that look for files by themselves. Most may look at any file below ``app``; Next.js takes its segments
there and nothing else, Remix what stands in ``routes``."""
_FINDERS_BUT_NEXT = regex(rb'"(?:@remix-run/[\w-]+|@react-router/[\w-]+|' + _IN_APP + rb')"\s*:')
_IN_SEGMENTS = regex(r"^(?:(?!pages/)[^/]+/)*?app/")
_DEEP = regex(r"(?:^|/)src/(?:[^/]+/)+[\w-]+\.config\.[cm]?[jt]s$")
"""Settings of the program by the style of their name: tools look for theirs at the top of a package."""
_APP = regex(r"(?:^|(?<=/))app/")
_SEGMENT = regex(
    r"/(?:page|layout|route|loading|error|global-error|not-found|template|default|forbidden|unauthorized|sitemap|robots|"
    r"manifest|icon\d*|apple-icon\d*|opengraph-image\d*|twitter-image\d*|root|entry\.\w+|routes)\.[jt]sx?$")
"""Names of the files that these take from the folders below ``app``."""
_PUBLISHED = regex(rb"^\s*classifiers\s*=|[\"']Programming Language :: |^\[project\.urls\]", re.M)
_PUBLISHED_JAVASCRIPT = regex(rb'"(?:exports|publishConfig|files)"\s*:')
_TYPES = regex(rb'"(?:types|typings)"\s*:')
_PRESENTED = regex(rb'"(?:license|repository|homepage|keywords|author|bugs)"\s*:')
"""What a package tells to those who look for one. (The packages of a workspace have types for each other, too.)"""
_TITLE = regex(rb"^\s*name\s*=\s*['\"]([\w.-]+)['\"]", re.M)
_STARTS = regex(rb"^(?:CMD|ENTRYPOINT)\b", re.M)
_BUNDLER = regex(r"(?:^|/)(?:vite|webpack|rollup|rspack|rsbuild)[\w.-]*\.[cm]?[jt]s$")
_LISTED = 4
"""Files of a folder that a bundler is told, before one that it is not told is none of its inputs."""
_PRIVATE = regex(rb'"private"\s*:\s*true')
_MAIN = regex(rb"__name__\s*==\s*[\"']__main__[\"']|require\.main\b|import\.meta\.main\b|"
              rb"\bimport\.meta\.url\b[^\n]*\bargv\b|\bargv\b[^\n]*\bimport\.meta\.url\b", re.M)
_CALLS = regex(rb"^(?:await[ \t]+|void[ \t]+)?(\w+)\([^()\n]*\)[ \t]*(?:;|$|\.(?:then|catch|finally)\b)", re.M)
"""What a file of JavaScript does by itself, where it has a function of that name."""
_SHOWN = regex(rb"#[^\n]*\b(?i:examples?|usage|demo|demonstration|quick test|self[- ]test|smoke test)\b")
_BRINGS = regex(rb"^[ \t]*(?:COPY|ADD)[ \t](?![^\n]*--from)(?:--\S+[ \t]+)*(?!--)"
                 rb"(?!(?:\./)?[\w-]+[ \t]+\S+[ \t\r]*$)", re.M | re.I)
"""A ``COPY`` of more than one folder or file without an ending: of ``.``, of files, of several."""
_NEAR = 240
"""Bytes around the test for the main program in which a remark says what it is for."""


class Abandoned:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages) -> None:
        self.project = project
        self.stages = stages
        self.programs = programs_of(project, stages)
        self.index = importers(project)
        self.naming = Naming(project, stages, self.index)
        self.gathering = Gathering(project, stages, self.index)
        self._known: dict[str, bool] = {}

    @classmethod
    def of(cls, project: Project, stages: Stages) -> Abandoned:
        """The one `Abandoned` of a project."""
        return project.single(cls, project, stages)

    def has(self, path: str) -> bool:
        """Whether nothing of the program is seen to load ``path``, although it could be seen."""
        if path not in self._known:
            stage = self.stages.of_path(path)
            left = stage in _LOADED and (self._is_unbuilt(path) or self._is_hidden(path) or (
                self._is_alone(path) and (self._is_marked(path) or not self.is_library(path))))
            self._known[path] = (left and self.has_company(path)) or (stage == "test" and self._is_no_test(path)) or (
                stage == "example" and self._is_shown_alone(path)) or (
                stage == "migration" and self._is_unused_seed(path))
        return self._known[path]

    def _is_shown_alone(self, path: str) -> bool:
        """Whether a file stands among examples that are no package of their own, and neither a command nor the program
        has to do with it: whoever reads it may start it."""
        if path.endswith(".py"):
            return self._is_left_as_example(path)
        root = own_root(self.project, path)
        if root and f"{root}/package.json" not in self.project.tree.paths and not self._brings(root):
            root = own_root(self.project, root)  # an image for tools alone
        of_package = f"{root}/{path.rpartition('/')[2]}".lstrip("/")
        return self.stages.of_path(of_package) != "example" and self._is_left_as_example(path)

    def _is_left_as_example(self, path: str) -> bool:
        return (all(self.stages.of_path(other) == "example" for other in self.index.of(path))
                and (path.endswith(".py") or not self.programs.is_commanded(path))
                and not self.is_found(path) and not self.naming.has(path))

    def _brings(self, folder: str) -> bool:
        """Whether an image that is built in ``folder`` may take files of it that stand in no folder below."""
        return any(_BRINGS.search(self.index.data(f"{folder}/{name}")) is not None for name in IMAGES
                   if f"{folder}/{name}" in self.project.tree.paths)

    def _is_no_test(self, path: str) -> bool:
        """Whether a file among the tests is taken by no runner and imported by nobody."""
        return (not self.index.of(path) and is_left_alone(self.project, path)
                and not self.programs.is_commanded(path) and not self.naming.has(path))

    def _is_unused_seed(self, path: str) -> bool:
        """Whether a file of Python that fills a database by its own name, in a folder of something else, is no program,
        and nobody loads it."""
        if not path.endswith(".py") or self.index.of(path) or not self.stages.is_named(path, "migration") or (
                self.stages.of_path(f"{path.rpartition('/')[0]}/_.py") == "migration"):
            return False
        module = self.project.module(path)
        return (module is not None and not self.programs.python_script(module, []) and not self.is_found(path)
                and not self.naming.has(path) and not self.gathering.has(path))

    def _is_hidden(self, path: str) -> bool:
        """Whether a package of the same name stands beside a module of Python, which an import therefore never finds,
        and nothing starts it as a program."""
        return (path.endswith(".py") and f"{path[:-3]}/__init__.py" in self.project.tree.paths
                and not self.programs.is_commanded(path) and not self.programs.is_told(path))

    def _is_unbuilt(self, path: str) -> bool:
        """Whether nothing translates a file of TypeScript or JSX: it stands in no package of the workspace, the
        configurations of the compiler leave it out, and no script speaks of its folder, nor does a file beyond import
        one there."""
        folder, below, _ = path.partition("/")
        if not (path.endswith(_TRANSLATED) and below) or own_root(self.project, path):
            return False
        package = self.programs.package(path)
        if not package.get("workspaces") and "pnpm-workspace.yaml" not in self.project.tree.paths:
            return False
        configs: Any = self.project.linkers["javascript"].resolver.configs  # type: ignore[attr-defined]
        config, near = configs.governing(path)
        scripts = " ".join(str(text) for text in jsonc.mapping(package.get("scripts")).values())
        if config is not None or not near or folder in words_of(scripts) or self.programs.is_told(path):
            return False
        found = {path: None}
        waiting = [path]
        while waiting and len(found) <= _MOST_UNBUILT:
            fresh = [other for other in self.index.of(waiting.pop()) if other not in found]
            if not all(other.startswith(folder + "/") for other in fresh):
                return False
            found.update(dict.fromkeys(fresh))
            waiting += fresh
        return not waiting

    def is_trial(self, module: Module, node: Any) -> bool:
        """Whether ``node`` runs only where somebody starts the file by hand, to try what others import from it: nothing
        is seen to start it."""
        if not any(held.truth and is_main_test(module, held.test) for held in self.stages.held(module, node)):
            return False
        path = module.path
        if self.programs.imported_by(path) is None and not self.gathering.has(path):
            return False
        return path.rpartition("/")[2].partition(".")[0] not in _STARTED and not self.programs.is_commanded(path)

    def _is_alone(self, path: str) -> bool:
        """Whether neither ``path`` nor any file that leads to it is started, named, or looked for."""
        found = {path: None}
        shown = self.stages.of_path(path) == "example"  # which examples may well lead to
        waiting = [path]
        while waiting:
            here = waiting.pop()
            if here != path and not (shown and self.stages.of_path(here) == "example") and self._is_beside(here):
                continue
            if self._is_first(here):
                return False
            fresh = [other for other in (*self.index.of(here), *self._below(here)) if other not in found]
            found.update(dict.fromkeys(fresh))
            waiting += fresh
            if len(found) > _MOST:
                return False
        return not any(self.gathering.has(one) or self.naming.has(one) for one in found
                       if one == path or not self._is_beside(one))

    def _is_beside(self, path: str) -> bool:
        """Whether what ``path`` imports is not loaded by the program for its sake: a test, an example, a tool that no
        command names, a program that somebody starts by hand."""
        stage = self.stages.of_path(path)
        if stage in ("test", "example"):
            return True
        if stage == "tool":
            return not self.programs.is_commanded(path)
        module = self.project.module(path) if self._starts(path) else None
        return module is not None and self.programs.by_hand(module)

    def _below(self, path: str) -> list[str]:
        """The files whose import runs ``path`` first, as Python does with the ``__init__`` of their packages."""
        folder, _, name = path.rpartition("/")
        if name != "__init__.py":
            return []
        return [other for other in self.index.paths if other.startswith(folder + "/") and other.endswith(".py")]

    # -- how a file comes to be loaded ----------------------------------------------------------------------------

    def _is_first(self, path: str) -> bool:
        """Whether the file may well be where a program begins, by its own place, name and content."""
        name = path.rpartition("/")[2]
        if self.stages.of_path(path) not in _LOADED or (
                name.count(".") > 1 and not self._is_marked(path) and not _DEEP.search(path)
                and not self._is_mere_role(path)):
            return True  # of a tool; or ``x.config.ts``, ``x.native.ts``: somebody knows what the second name means
        stem = name.partition(".")[0]
        if stem.lower() in _STARTED and not (stem == "index" and path.count("/") > 1):
            return True
        return not stem_of(path) or self._starts(path) or self.is_found(path)

    def _is_mere_role(self, path: str) -> bool:
        """Whether the second name of a file only says what the file is to the program, ``auth.middleware.js``, and no
        pattern of the project takes files of that second name: it is a usual one, or the program imports others that
        have it."""
        parts = path.rpartition("/")[2].split(".")
        return (len(parts) == 3 and (parts[1] in _ROLES or self._is_imported_role(parts[1], path))
                and not self._is_taken_by_role(parts[1], path))

    def _is_imported_role(self, role: str, path: str) -> bool:
        """Whether files of the program import others of a second name that means nothing to tools."""
        memo = self.project.memo.setdefault(Abandoned._is_imported_role, {})
        if role not in memo:
            end = path.endswith(".py"), re.compile(rf"\.{re.escape(role)}\.\w+$")
            others = (other for other in self.index.paths if other.endswith(".py") == end[0] and end[1].search(other))
            imported = (other for other in others if any(
                self.stages.of_path(loader) == "production" for loader in self.index.of(other)))
            memo[role] = role not in _MEANT and len(list(islice(imported, _SOME))) == _SOME
        return bool(memo[role])

    def _is_taken_by_role(self, role: str, path: str) -> bool:
        """Whether the project holds a pattern for files of a second name: ``**/*.entity.ts``,
        ``endsWith('.routes.js')``, ``${name}.service``."""
        memo = self.project.memo.setdefault(Abandoned._is_taken_by_role, {})
        if role not in memo:
            pattern = re.compile(rb"[*'\"`\\}{,(|]\.%s(?![\w-])" % role.encode())
            told = (other for other in self.project.tree.paths if _LISTING.search(other))
            memo[role] = any(pattern.search(self.index.data(other)) for other in (
                *self.index.mentions(role, path), *told) if self.gathering.is_own(other))
        return bool(memo[role])

    def _is_marked(self, path: str) -> bool:
        """Whether the second name of a file says that it was put aside: ``select.old.tsx``."""
        second = path.rpartition("/")[2].split(".")[1:-1]
        return not self.stages.aside_files.isdisjoint(second)

    def _starts(self, path: str) -> bool:
        """Whether the file is a program: not where all that it does by itself is to show how to use it."""
        data = self.index.data(path)
        if data.startswith(b"#!"):
            return True
        if (main := _MAIN.search(data)) is not None:
            return _SHOWN.search(data, max(0, main.start() - _NEAR), main.end() + _NEAR) is None
        if not path.endswith(".py") and self._is_unlisted(path):
            return False
        return not path.endswith((".py", *_COMPONENTS)) and (GIVES.search(data) is None or any(
            re.search(rb"\bfunction\s+%s\b|\b(?:const|let|var)\s+%s\s*=\s*(?:async\b|\()" % (name, name), data)
            for name in _CALLS.findall(data)))

    def _is_unlisted(self, path: str) -> bool:
        """Whether a bundler is told files of the folder of ``path`` by their names, and this one is none of them."""
        folder, _, name = path.rpartition("/")
        memo = self.project.memo.setdefault(Abandoned._is_unlisted, {})
        if folder not in memo:
            memo[folder] = self._inputs(folder, own_root(self.project, path))
        return len(memo[folder]) >= _LISTED and name not in memo[folder]

    def _inputs(self, folder: str, root: str) -> set[str]:
        """The names of the files in ``folder`` that a configuration of a bundler writes, with the folder in front of
        them; none where it speaks of others there, too."""
        found: set[str] = set()
        for config in self._bundlers:
            above = folder_of(config)
            prefix = f"{above}/" if above else ""
            if above.startswith(root) and folder.startswith(prefix):
                way = re.escape(folder[len(prefix) :].encode())
                data = self.index.data(config)
                if re.search(rb"(?<![\w-])%s(?:['\"`]|/['\"`*$])" % way, data) or b"glob" in data.lower():
                    return set()
                named = re.findall(rb"(?<![\w-])%s/([\w.-]+\.[jt]sx?)['\"`]" % way, data)
                found.update(name.decode() for name in named)
        return found

    @cached_property
    def _bundlers(self) -> list[str]:
        """The configurations of bundlers."""
        return sorted(path for path in self.project.tree.paths if _BUNDLER.search(path))

    def is_found(self, path: str) -> bool:
        """Whether the file stands where frameworks look."""
        folders = path.rpartition("/")[0].split("/")
        if path.endswith(_COMPONENTS) and self._finds(path, _COMPONENT_FINDERS):
            return True
        if path.endswith(".py"):
            stem = path.rpartition("/")[2].partition(".")[0]
            return stem == "apps" or not _FOUND_IN_PYTHON.isdisjoint((stem, *folders))
        if self.programs.is_by_convention(path):
            if _IN_SEGMENTS.search(path) and self._finds(path, _FINDERS) and not self._finds(path, _FINDERS_BUT_NEXT):
                return _SEGMENT.search(path) is not None
            segment = self.programs.is_by_convention(_APP.sub("", path)) or _SEGMENT.search(path) is not None
            return self._finds(path, _FINDERS if segment else _FINDERS_IN_APP)
        return not _FOUND_IN_JAVASCRIPT.isdisjoint(folders) and self._finds(path, _BY_PLACE_ALONE)

    def _finds(self, path: str, frameworks: re.Pattern[bytes]) -> bool:
        """Whether a package of ``path`` uses one of ``frameworks``, which look for files."""
        folder = path.rpartition("/")[0]
        while True:
            name = f"{folder}/package.json" if folder else "package.json"
            if name in self.project.tree.paths and frameworks.search(self.index.data(name)) is not None:
                return True
            if not folder:
                return False
            folder = folder.rpartition("/")[0]

    # -- what would be seen ---------------------------------------------------------------------------------------

    def is_library(self, path: str) -> bool:
        """Whether the package of ``path`` is published for programs that are not seen."""
        root = own_root(self.project, path)
        prefix = f"{root}/" if root else ""
        if path.endswith(".py"):
            told = [prefix + name for name in ("pyproject.toml", "setup.py", "setup.cfg")]
            return any(name in self.project.tree.paths and _PUBLISHED.search(self.index.data(name))
                       and not self._is_only_run(prefix, name) for name in told)
        data = self.index.data(prefix + "package.json")
        if _PRIVATE.search(data) is not None:
            return False
        return _PUBLISHED_JAVASCRIPT.search(data) is not None or (
            _TYPES.search(data) is not None and _PRESENTED.search(data) is not None)

    def _is_only_run(self, prefix: str, name: str) -> bool:
        """Whether what the file ``name`` describes is run in an image and imported by nobody, as there is no package
        of its name."""
        title = _TITLE.search(self.index.data(name))
        image = self.index.data(f"{prefix}Dockerfile")
        if title is None or _STARTS.search(image) is None:
            return False
        package = title[1].decode("utf-8", "replace").lower().replace("-", "_").replace(".", "_")
        return not any(f"{prefix}{above}{package}{end}".lower() in self._lower for above in ("", "src/")
                       for end in ("/__init__.py", ".py"))

    @cached_property
    def _lower(self) -> frozenset[str]:
        return frozenset(path.lower() for path in self.index.paths)

    def has_company(self, path: str, least: int = _COMPANY) -> bool:
        """Whether ``least`` other files of the package are imported, so that this one would be."""
        root = own_root(self.project, path)
        prefix = f"{root}/" if root else ""
        found: set[str] = set()
        for other in self.index.paths:
            if other.startswith(prefix) and other.endswith(CODE) and other != path:
                if other.endswith(".py") == path.endswith(".py") and self.stages.of_path(other) == "production":
                    found.update(target for _, target, _ in self.index.targets(other) if target != path
                                 and not target.endswith("/__init__.py"))
                    if len(found) >= least:
                        return True
        return False
