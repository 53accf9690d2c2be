"""Whether a deployment of the project runs a file without a variable that the file reads."""

from __future__ import annotations

from connlint.model.finding import Step
from connlint.project.project import Project
from connlint.project.services import Running, Services


def deployed_without(project: Project, path: str, variables: list[str]) -> Step | None:
    """A deployment that runs the file at ``path`` and sets other variables, but none of ``variables``.

    None where no deployment is known to run the file, where some deployment that runs it does set one of them, or where
    more may be set than the deployment shows.
    """
    # containers asks for fallbacks itself
    from connlint.checks.containers import closed

    found = None
    for one in _running(project, path):
        if any(name in one.environment for name in variables):
            return None
        if closed(one) and one.service.environment_at is not None:
            found = Step(one.service.environment_at, f"`{one.name}` is deployed with other variables, but without "
                                                     f"{' or '.join(variables)}")
    return found


def _running(project: Project, path: str) -> list[Running]:
    """The services that run the code at ``path``."""
    from connlint.checks.containers import code_of

    memo: dict[str, list[Running]] | None = project.memo.get(_running)
    if memo is None:
        memo = project.memo[_running] = {}
        running = Services.of(project).running()
        for one in running:
            for file in code_of(one, running, project):
                memo.setdefault(file, []).append(one)
    return memo.get(path, [])
