"""Variables that every deployment of some code sets: a default of the code then waits for one that does not."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence

from connlint.checks.deployed import Code, for_development, is_in_use
from connlint.model.deployment import Known
from connlint.model.finding import Step
from connlint.project.address import OF_THE_MACHINE, loopback
from connlint.project.built_images import image_name, names_of
from connlint.project.services import Running
from connlint.project.stage import Stages, flat, words_of


def provided(code: Code, stages: Stages, path: str, names: Sequence[str], takes: Callable[[Running], bool],
             instead: Callable[[Running], Iterable[str]] = lambda _: ()) -> Step | None:
    """The first place where a service that runs the code at ``path`` is given one of the variables ``names``, or one of
    those that it takes ``instead``.

    None where no service is known to run it, where one that runs it and that ``takes`` the value lacks the variables,
    and where one is given a loopback address. What is for development or put away tells nothing, and neither does a
    Dockerfile that no deployment builds. Where nothing is known to run the code, it is what may run it that counts: a
    service which is built from it, and of which the start is not understood.
    """
    found: Step | None = None
    perhaps: Step | None = None
    # settings classes take a variable in whatever case it is written
    spelled = [form for name in names for form in (name, name.lower())]
    for one in code.running:
        if one.service.kind == "dockerfile" or not is_in_use(one) or for_development(one, stages):
            continue
        published = not code.runs(one, path)
        if published and code.may_run(one, path):
            perhaps = perhaps or _given(one, names, "which may run this,")
            continue
        if published and not _is_published(code, one, path):
            continue
        variants = code.deployed_as(one)
        name = next((name for name in spelled if all(variant.gives(name) for variant in variants)), None)
        if name is None:
            # a file that is not seen may set it, or the one that this is laid over, which is asked for itself
            if not one.open and not code.is_laid_over(one) and takes(one):
                return None
            if not published:
                found = found or _given(variants[0], instead(one), "which asks for it first,")
            continue
        told = [known for variant in variants if (known := _told(variant, name)) is not None]
        known = next((known for known in told if _is_itself(known)), told[0] if told else None)
        if published and (known is None or known.value is None):
            continue  # whoever runs what is published is asked for it, and may leave it out
        if known is not None and _is_itself(known):
            return None
        at = known.place if known is not None else one.service.environment_at
        found = found or (Step(at, f"`{one.name}` is deployed with {name}") if at is not None else None)
    return found or perhaps


def _is_itself(known: Known) -> bool:
    """Whether what a variable is given means the container that it is told to, and not the machine around it."""
    host = loopback(known.value or known.written)
    return known.value == "" or (host is not None and not host.name.endswith(OF_THE_MACHINE))


def _given(one: Running, names: Iterable[str], why: str) -> Step | None:
    """Where ``one`` is given one of the variables, and no loopback address by it."""
    for name in names:
        known = _told(one, name)
        if known is not None and known.value and loopback(known.value) is None:
            return Step(known.place, f"`{one.name}`, {why} is deployed with {name}")
    return None


def _told(one: Running, name: str) -> Known | None:
    """What the file of ``one`` says of a variable: to the process, or to the build of its image."""
    return one.environment.get(name) or one.service.build_arguments.get(name)


def _is_published(code: Code, one: Running, path: str) -> bool:
    """Whether a compose file of the project runs the image that is published under the project's own name, or under
    that of a folder which the file at ``path`` is in."""
    service, tree = one.service, code.project.tree
    if service.kind != "compose" or service.build is not None or posixpath.dirname(one.deployment.path).count("/") > 1:
        return False
    name = image_name(service)
    if name is None or "/" not in (service.image.value or "" if service.image else ""):
        return False
    folders = map(flat, path.lower().split("/")[:-1])
    return name in names_of(tree, "") or (len(words_of(name)) > 1 and flat(name) in folders)
