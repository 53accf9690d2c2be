"""The language server: hears what the editor opens and changes, and tells it what there is to report.

What is open is checked some time after the last change, in a thread of its own, one check at a time. A file that has
changed meanwhile gets nothing of an outdated check; another one follows.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from msgspec import Struct
from pygls import uris
from pygls.lsp.server import LanguageServer

from connlint import __version__
from connlint.editor.desk import Checked, Desk, Settings, settings_of
from connlint.editor.wording import FIX_ALL, Wording, touches
from connlint.fixing.offers import compatible
from connlint.scanning import ScanError

_WATCH = "connlint-files"


class _Told(Struct):
    """What the editor was last told about one folder: the check, and the versions of the files that it saw."""

    checked: Checked
    versions: dict[str, int | None]


class Server(LanguageServer):
    """One editor's session."""

    def __init__(self) -> None:
        super().__init__("connlint", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
        self.initial = self.settings = Settings()
        self._desks: dict[Path, Desk] = {}
        self._told: dict[Path, _Told] = {}
        self._complaint: dict[Path, str] = {}
        self._thread = ThreadPoolExecutor(1, "connlint")
        self._timer: asyncio.TimerHandle | None = None
        self._checking: asyncio.Task[None] | None = None
        self._is_outdated = False

    # -- files and folders ----------------------------------------------------------------------------------------

    def place(self, uri: str) -> tuple[Path, str] | None:
        """The folder that a file is checked in, and its path there; None for what is not on the disk."""
        name = uris.to_fs_path(uri)
        if name is None or not uri.startswith("file:"):
            return None
        path = Path(name)
        roots = [Path(top) for folder in self.workspace.folders.values() if (top := uris.to_fs_path(folder.uri))]
        if not roots and self.workspace.root_path:
            roots = [Path(self.workspace.root_path)]
        above = [root for root in roots if root in path.parents]
        if above:
            root = max(above, key=lambda root: len(root.parts))
        else:
            root = next((folder for folder in path.parents if (folder / ".git").exists()), path.parent)
        return root, path.relative_to(root).as_posix()

    def wording(self, root: Path) -> Wording:
        """The words for this client about files in ``root``."""
        documents = self.client_capabilities.text_document
        publishing = documents.publish_diagnostics if documents else None
        units = str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding) or "utf-16")
        uris_open = {place: uri for uri in self.workspace.text_documents if (place := self.place(uri)) is not None}

        def address(path: str) -> str:
            # an open file goes by the name that the editor has given it
            return uris_open.get((root, path)) or uris.from_fs_path(str(root / path)) or ""

        return Wording(address, units, bool(publishing and publishing.related_information))

    def open_files(self) -> dict[Path, dict[str, Any]]:
        """Folder → path → document, for all that is open."""
        found: dict[Path, dict[str, Any]] = {}
        for uri, document in self.workspace.text_documents.items():
            if (place := self.place(uri)) is not None:
                found.setdefault(place[0], {})[place[1]] = document
        return found

    # -- checking -------------------------------------------------------------------------------------------------

    def soon(self) -> None:
        """Check what is open when nothing has changed for a while."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self.settings.delay / 1000, self._begin)

    def _begin(self) -> None:
        if self._checking is not None:
            self._is_outdated = True
        else:
            self._checking = asyncio.ensure_future(self._check())

    async def _check(self) -> None:
        try:
            for root, documents in self.open_files().items():
                await self._check_folder(root, documents)
        finally:
            self._checking = None
            if self._is_outdated:
                self._is_outdated = False
                self.soon()

    async def _check_folder(self, root: Path, documents: dict[str, Any]) -> None:
        desk = self._desks.setdefault(root, Desk(root))
        texts = {path: document.source for path, document in documents.items()}
        versions = {path: document.version for path, document in documents.items()}
        loop = asyncio.get_running_loop()
        try:
            checked = await loop.run_in_executor(self._thread, desk.check, texts, self.settings)
        except ScanError as error:
            self._complain(root, str(error))
            return
        except Exception as error:
            self._complain(root, f"internal error: {type(error).__name__}: {error}")
            return
        self._complaint.pop(root, None)
        self._told[root] = _Told(checked, versions)
        now = self.open_files().get(root, {})
        wording = self.wording(root)
        for path, version in versions.items():
            if path not in now or now[path].version != version:
                continue
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(
                now[path].uri, version=version,
                diagnostics=[wording.diagnostic(finding, checked.report) for finding in checked.report.reported
                             if finding.place.path == path]))

    def _complain(self, root: Path, message: str) -> None:
        """Say once why nothing can be checked in a folder."""
        if self._complaint.get(root) != message:
            self._complaint[root] = message
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, f"connlint: {message}"))

    # -- edits ----------------------------------------------------------------------------------------------------

    async def actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        """The edits for a range of a file, each proved; none where the file has changed since it was checked."""
        place = self.place(params.text_document.uri)
        told = self._told.get(place[0]) if place is not None else None
        if place is None or told is None:
            return []
        root, path = place
        now = {path: document.version for path, document in self.open_files().get(root, {}).items()}
        if now.get(path) != told.versions.get(path, -1):
            return []
        report, wording = told.checked.report, self.wording(root)
        only = params.context.only
        if only and all(str(getattr(kind, "value", kind)).startswith("source") for kind in only):
            return await self._all_at_once(told, now, root, path) if any(
                FIX_ALL.startswith(str(getattr(kind, "value", kind))) for kind in only) else []
        if only and "quickfix" not in [str(getattr(kind, "value", kind)) for kind in only]:
            return []
        here = [number for number, finding in enumerate(report.findings)
                if finding.place.path == path and touches(wording.range(finding.place, report.sources), params.range)]
        offered = await self._offered(root, told.checked, here)
        return [wording.action(offer, report, now) for offer in offered
                if all(now.get(file) == told.versions.get(file) for file in offer.paths)]

    async def _all_at_once(self, told: _Told, now: dict[str, int | None], root: Path,
                           path: str) -> list[lsp.CodeAction]:
        report = told.checked.report
        here = [number for number, finding in enumerate(report.findings) if finding.place.path == path]
        offered = [offer for offer in await self._offered(root, told.checked, here)
                   if offer.fix.safe and offer.paths == (path,)]
        if not offered:
            return []
        edit = self.wording(root).edit(compatible(offered), report, now)
        return [lsp.CodeAction("Make all safe edits of connlint", FIX_ALL, edit=edit)]

    async def _offered(self, root: Path, checked: Checked, numbers: list[int]) -> list[Any]:
        if not numbers:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._desks[root].offered, checked, numbers)

    def closed(self, uri: str) -> None:
        """Take away what was told of a file."""
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def build() -> Server:
    """A server that is ready to be started."""
    server = Server()

    @server.feature(lsp.INITIALIZE)
    def initialize(ls: Server, params: lsp.InitializeParams) -> None:
        ls.initial = ls.settings = settings_of(params.initialization_options)

    @server.feature(lsp.INITIALIZED)
    def initialized(ls: Server, _params: lsp.InitializedParams) -> None:
        workspace = ls.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching and watching.dynamic_registration:
            # any file may be what an import, a compose file or a manifest leads to
            ls.client_register_capability(lsp.RegistrationParams([lsp.Registration(
                _WATCH, lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher("**/*")]))]))

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def changed(ls: Server, _params: Any) -> None:
        ls.soon()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        ls.closed(params.text_document.uri)
        ls.soon()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(ls: Server, params: lsp.DidChangeConfigurationParams) -> None:
        # many editors send nothing here, and mean that nothing has changed
        ls.settings = settings_of(params.settings) if params.settings else ls.initial
        ls.soon()

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION,
                    lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, FIX_ALL]))
    async def actions(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return await ls.actions(params)

    return server


def serve() -> None:
    """Serve one editor over standard input and output, until it says that it is done."""
    server = build()
    # whatever writes to standard output by accident would break the protocol
    output, sys.stdout = sys.stdout.buffer, sys.stderr
    server.start_io(sys.stdin.buffer, output)
