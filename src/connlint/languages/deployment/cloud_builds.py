"""``cloudbuild.yaml``, whose steps are commands, and the steps of workflows that deploy to Cloud Run.

Facts: the reference of Cloud Build's configuration (a step starts the ``entrypoint`` of its builder, or the program
that its image is made for, with ``args``, in ``dir``) and of the action ``google-github-actions/deploy-cloudrun``
(``env_vars`` are added to those of the service unless ``env_vars_update_strategy`` is ``overwrite``).
"""

from __future__ import annotations

import posixpath
import re

from connlint.languages.deployment.yaml_nodes import Yaml, documents
from connlint.model.deployment import Command, Deployment, Known, Service, Word
from connlint.model.source import Source
from connlint.patterns import regex

NAME = regex(r"cloudbuild(?:[._-][\w.-]+)?\.ya?ml$")
_DEPLOYS = "google-github-actions/deploy-cloudrun@"
_PROGRAMS = {"docker": "docker", "gcloud": "gcloud", "cloud-sdk": "gcloud", "google-cloud-cli": "gcloud"}
"""What the builders start, by the last part of their name."""
_PAIR = regex(r"\s*([A-Za-z_]\w*)=((?:[^,\n\\]|\\.)*)")


def read_cloud_build(source: Source) -> Deployment:
    """The commands of the steps; of a shell's script nothing is read."""
    commands: list[Command] = []
    for document in documents(source):
        steps = document.get("steps")
        for step in steps.list() if steps is not None else ():
            name, entry, args, folder = (step.get(key) for key in ("name", "entrypoint", "args", "dir"))
            builder = ((name.text if name is not None else None) or "").rpartition("/")[2].partition(":")[0]
            program = entry.text if entry is not None else _PROGRAMS.get(builder)
            if name is None or not program or args is None or args.node.id != "sequence":
                continue
            words = (Word(program, (entry or name).place, program), *(_word(item) for item in args.list()))
            at = posixpath.normpath(folder.text) if folder is not None and folder.text else ""
            commands.append(Command(words, step.place, False, folder=None if "$" in at else at))
    return Deployment(source.path, commands=tuple(commands))


def _word(item: Yaml) -> Word:
    """An argument; substitutions are not known."""
    text = item.text or ""
    return Word(None if "$" in text else text, item.place, text)


def deployed_by(step: Yaml) -> Service | None:
    """The service that a step of a workflow deploys to Cloud Run; None where it deploys none, or none that is named."""
    uses, table = step.get("uses"), step.get("with")
    if uses is None or table is None or not (uses.text or "").startswith(_DEPLOYS):
        return None
    service, image, folder, given, strategy = (
        table.get(key) for key in ("service", "image", "source", "env_vars", "env_vars_update_strategy"))
    if service is None or not service.text:
        return None
    environment = {name: Known(None if "${{" in value else value, given.place, value)
                   for name, value in _PAIR.findall(given.text or "")} if given is not None else {}
    open_: list[str] = []
    if strategy is None or strategy.text != "overwrite":
        open_.append("what was set before stays set")
    for key in ("env_vars_file", "flags", "secrets", "metadata"):
        if table.get(key) is not None:
            open_.append(key)
    build = posixpath.normpath(folder.text) if folder is not None and folder.text and "${{" not in folder.text else None
    name = re.sub(r"\$\{\{.*?\}\}", "?", service.text)
    return Service(name, "cloud-run", service.place, environment, (given or service).place, tuple(open_), build=build,
                   image=Known(None if "${{" in (image.text or "") else image.text, image.place, image.text or "")
                   if image is not None else None)
