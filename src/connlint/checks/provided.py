"""Variables that every deployment of some code sets: a default of the code then waits for one that does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connlint.checks.deployed import Code, for_development, is_in_use
from connlint.model.finding import Step
from connlint.project.address import loopback
from connlint.project.services import Running
from connlint.project.stage import Stages


def provided(code: Code, stages: Stages, path: str, names: Sequence[str],
             takes: Callable[[Running], bool]) -> Step | None:
    """The first place where a service that runs the code at ``path`` is given one of the variables ``names``.

    None where no service is known to run it, where one that runs it and that ``takes`` the value lacks the variables,
    and where one is given a loopback address. What is for development or put away tells nothing, and neither does a
    Dockerfile that no deployment builds.
    """
    found: Step | None = None
    for one in code.running:
        if one.service.kind == "dockerfile" or not is_in_use(one) or for_development(one, stages):
            continue
        if not code.runs(one, path):
            continue
        name = next((name for name in names if one.gives(name)), None)
        if name is None:
            # a file that is not seen may set it
            if not one.open and takes(one):
                return None
            continue
        known = one.environment.get(name)
        if known is not None and (known.value == "" or loopback(known.value or known.written) is not None):
            return None
        at = known.place if known is not None else one.service.environment_at
        found = found or (Step(at, f"`{one.name}` is deployed with {name}") if at is not None else None)
    return found
