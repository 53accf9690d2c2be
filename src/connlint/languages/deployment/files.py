"""Which file is read how. One entry a kind; what no entry takes is no deployment file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import lru_cache

from msgspec.structs import replace

from connlint.languages.deployment import app_platform, cloud_builds, cloud_files, platforms
from connlint.languages.deployment.compose import read_compose
from connlint.languages.deployment.deploy_commands import services_of
from connlint.languages.deployment.dockerfile import read_dockerfile
from connlint.languages.deployment.kubernetes import is_manifest, read_kubernetes
from connlint.languages.deployment.kustomize import NAMES as KUSTOMIZATIONS
from connlint.languages.deployment.kustomize import read_kustomization
from connlint.languages.deployment.render import read_render
from connlint.languages.deployment.supervisor import read_supervisor
from connlint.languages.deployment.yaml_nodes import Malformed
from connlint.model.deployment import Deployment
from connlint.model.source import Source, Undecodable
from connlint.patterns import regex

Read = Callable[[str], bytes | None]
_COMPOSE = regex(r"(?:(?:docker-|podman-)?compose|docker-stack)(?:[.-][\w.-]+)?\.ya?ml$")
_DOCKERFILE = regex(r"dockerfile$|(?:Dockerfile|Containerfile)(?:[.-][\w.-]+)?$|.+\.(?:[Dd]ockerfile|Containerfile)$")
_NAMED: dict[str, Callable[[Source], Deployment]] = {
    "heroku.yml": platforms.read_heroku, "fly.toml": platforms.read_fly,
    "package.json": platforms.read_package_scripts, "Makefile": platforms.read_makefile,
    "makefile": platforms.read_makefile, "justfile": platforms.read_makefile, "Justfile": platforms.read_makefile,
    "app.yaml": platforms.read_app_engine, "app.yml": platforms.read_app_engine,
    "serverless.yml": cloud_files.read_serverless, "serverless.yaml": cloud_files.read_serverless,
    "vercel.json": cloud_files.read_vercel, "apprunner.yaml": cloud_files.read_app_runner,
    "task definition": cloud_files.read_task_definition, "supervisor": read_supervisor,
    "cloud build": cloud_builds.read_cloud_build, "Dockerrun.aws.json": cloud_files.read_dockerrun,
}
_SUPERVISOR = regex(r"(?:^|/)(?:supervisord?(?:[.-][\w-]+)?|supervisor(?:\.d|d)?/(?:[\w.-]+/)?[\w.-]+)\.(?:conf|ini)$")
_APP_ENGINE = regex(rb"^runtime:[ \t]*['\"]?(?:python|nodejs)\d+", re.MULTILINE)
_OF_APP_ENGINE = regex(
    rb"^(?:service|entrypoint|env_variables|handlers|instance_class|automatic_scaling):", re.MULTILINE)
_APP_PLATFORM = regex(rb"^[ \t]*(?:services|workers|jobs|static_sites):[ \t]*(?:#.*)?$", re.MULTILINE)
_TASK = regex(r"(?:[\w.-]+[._-])?task[-_]?def(?:inition)?s?(?:[._-][\w.-]+)?\.json$")
_SHELL = (".sh", ".bash", ".zsh", ".ksh")
_SKIPPED = regex(r"(?:^|/)(?:node_modules|vendor|third_party|\.venv|site-packages|templates|"
                 r"\.history|\.lh|\.localhistory|\.worktrees|\.trash)/")
"""What others wrote, what is filled in first, and what an editor keeps of files as they once were."""
MAX_SIZE = 2_000_000
"""Bytes. A larger deployment file is generated."""


@lru_cache(maxsize=1 << 16)
def kind_of(path: str) -> str | None:
    """How a file with this path would be read: "compose", "dockerfile", "script", …; None for other files."""
    name = posixpath.basename(path)
    if _SKIPPED.search(path):
        return None
    if _COMPOSE.match(name):
        return "compose"
    if _DOCKERFILE.match(name) and not name.endswith((".dockerignore", ".md")):
        return "dockerfile"
    if name == "Procfile" or name.startswith("Procfile."):
        return "procfile"
    if name in ("render.yaml", "render.yml"):
        return "render"
    if name in _NAMED or name in ("railway.json", "railway.toml", "nixpacks.toml"):
        return name
    if name in KUSTOMIZATIONS:
        return "kustomization"
    if _TASK.match(name):
        return "task definition"
    if _SUPERVISOR.search(path):
        return "supervisor"
    if name.endswith(_SHELL):
        return "script"
    if name.endswith(".mk"):
        return "Makefile"
    if name.endswith(".service"):
        return "unit"
    if path.startswith(".github/workflows/") and name.endswith((".yml", ".yaml")):
        return "workflow"
    if cloud_builds.NAME.match(name):
        return "cloud build"
    if name.endswith((".yml", ".yaml")):
        in_folder = posixpath.basename(posixpath.dirname(path)) == app_platform.FOLDER
        return "app platform" if in_folder else "yaml"
    return None


def read_deployment(path: str, data: bytes, read: Read, kind: str | None = None) -> Deployment | None:
    """What the file says; None where it is no deployment file. Never raises: faults stand in ``problems``.

    ``kind`` is as of `kind_of`, where another file says what this one is, whatever its name.
    """
    kind = kind or kind_of(path)
    if kind is None:
        return None
    if kind in ("yaml", "app.yaml", "app.yml") and not is_manifest(data) and _APP_PLATFORM.search(data) and (
            app_platform.MARK.search(data)):
        kind = "app platform"
    if kind == "yaml" and not is_manifest(data):
        # a service of App Engine is called after itself where a project has several
        if _APP_ENGINE.search(data) is None or _OF_APP_ENGINE.search(data) is None:
            return None
        kind = "app.yaml"
    if len(data) > MAX_SIZE:
        return Deployment(path, problems=(f"larger than {MAX_SIZE // 1_000_000} MB",))
    try:
        found = _read(kind, Source.decode(path, data), read)
    except (Undecodable, Malformed) as error:
        return Deployment(path, problems=(str(error),))
    except RecursionError:
        return Deployment(path, problems=("nested too deeply",))
    deployed = tuple(service for command in found.commands for service in services_of(command, read))
    return replace(found, services=(*found.services, *deployed)) if deployed else found


def _read(kind: str, source: Source, read: Read) -> Deployment:
    if kind == "compose":
        return read_compose(source, read)
    if kind == "kustomization":
        return read_kustomization(source, read)
    if kind == "dockerfile":
        return Deployment(source.path, images=(read_dockerfile(source),))
    if kind == "render":
        return read_render(source, read)
    if kind in ("railway.json", "railway.toml"):
        return platforms.read_railway(source, read)
    if kind == "nixpacks.toml":
        return platforms.read_nixpacks(source, read)
    if kind == "app platform":
        return app_platform.read_app_platform(source, read)
    if kind == "procfile":
        return platforms.read_procfile(source)
    if kind == "script":
        return platforms.read_script(source)
    if kind == "unit":
        return platforms.read_unit(source)
    if kind == "workflow":
        return platforms.read_workflow(source)
    if kind == "yaml" or (kind in ("app.yaml", "app.yml") and is_manifest(source.data)):
        return read_kubernetes(source)
    return _NAMED[kind](source)
