"""Manifests that a kustomization puts together, and what its overlays change of them.

A base is not applied as it stands where an overlay changes it: what the overlay sets is not known from the base, and
more may be set than the base shows. A patch is the workload that it is laid over, changed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from msgspec.structs import replace

from connlint.languages.deployment.kustomize import NAMES
from connlint.model.deployment import Deployment, Known, Kustomization, Service, laid_over


class Kustomized:
    """The kustomizations of one project, ready to be asked."""

    def __init__(self, deployments: Iterable[Deployment]) -> None:
        self._by_path = {one.path: one for one in deployments}
        self._own: dict[str, dict[str, dict[str, Known]]] = {}
        self._over: dict[str, list[Kustomization]] = {}
        self._patches: dict[str, list[str]] = {}
        self._images: dict[str, dict[str, set[str]]] = {}
        for one in self._by_path.values():
            if (told := one.kustomization) is None:
                continue
            files = self._files(one)
            for path in files:
                self._own.setdefault(path, {}).update(one.maps)
                for image, new in told.images.items():
                    self._images.setdefault(path, {}).setdefault(image, set()).add(new)
                if told.changes or told.merged:
                    self._over.setdefault(path, []).append(told)
            for patch in told.patches:
                self._patches.setdefault(patch, []).extend(files)

    def maps(self, path: str) -> dict[str, dict[str, Known]]:
        """The maps that are made for the manifests at ``path``, with what an overlay sets in them not known."""
        found = {name: dict(values) for name, values in self._own.get(path, {}).items()}
        for told in self._over.get(path, ()):
            for name, values in told.merged.items():
                for key, known in values.items():
                    found.setdefault(name, {})[key] = replace(known, value=None, partly=None)
        return found

    def completed(self, path: str, service: Service) -> Service:
        """``service`` of the manifest at ``path`` as it is applied, as far as that is known."""
        service = self._renamed(path, service)
        if path in self._patches:
            bases = [base for file in self._patches[path] for base in self._services(file)
                     if base.name == service.name and file != path]
            joined = replace(laid_over(bases[0], service), place=service.place, group=service.group,
                             environment_at=service.environment_at) if bases else service
            return replace(joined, open=(*joined.open, "a patch of another manifest"))
        over = self._over.get(path, ())
        if not over:
            return service
        changed = {name for told in over for patch in told.patches for other in self._services(patch)
                   if other.name == service.name for name in other.environment}
        environment = {name: replace(known, value=None, partly=None) if name in changed else known
                       for name, known in service.environment.items()}
        return replace(service, environment=environment, open=(*service.open, "an overlay changes it"))

    def _renamed(self, path: str, service: Service) -> Service:
        """``service`` with the name that its image gets, where that is the same in all overlays that give it one."""
        known = service.image
        name, at, digest = (known.value or "").partition("@") if known is not None else ("", "", "")
        head, slash, last = name.rpartition("/")
        last, colon, tag = last.partition(":")
        new = self._images.get(path, {}).get(f"{head}{slash}{last}", set())
        if known is None or len(new) != 1:
            return service
        return replace(service, image=replace(known, value=f"{next(iter(new))}{colon}{tag}{at}{digest}"))

    def _services(self, path: str) -> tuple[Service, ...]:
        return self._by_path[path].services if path in self._by_path else ()

    def _files(self, one: Deployment) -> list[str]:
        """The manifests that a kustomization takes, those of the bases that it names among them."""
        found: dict[str, None] = {}
        waiting = [one.path]
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            found[path] = None
            told = self._by_path[path].kustomization
            for resource in told.resources if told is not None else ():
                names = (resource, *(posixpath.join(resource, name) for name in NAMES))
                waiting += [name for name in names if name in self._by_path]
        return list(found)[1:]
