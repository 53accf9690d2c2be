"""The language server as an editor meets it: a process of its own, spoken to over standard input and output."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.client import LanguageClient

from connlint.editor.desk import Settings, settings_of
from connlint.editor.wording import Wording
from connlint.fixing.offers import Offer
from connlint.model.source import Source
from connlint.readings import Readings
from test_cli import write

FAULT = 'import os\n\nURL = os.getenv("ORDERS_URL", "http://localhost:9000")\n'
FILES: dict[str, str] = {
    "api/__init__.py": "",
    "api/settings.py": 'import os\n\nDEFAULT = "http://localhost:9000"\nTIMEOUT = 3\n',
    "api/main.py": "import os\n\nfrom api.settings import DEFAULT, TIMEOUT\n\n"
                   'URL = "🚀" and os.getenv("ORDERS_URL", DEFAULT)\n',
    "docker-compose.yml": "services:\n  api:\n    build: api\n    environment:\n      ORDERS_URL: http://localhost:9000\n"
                          "  orders:\n    image: orders\n    expose: [9000]\n",
}


class Editor(LanguageClient):
    """An editor that remembers what it was last told of every file, and waits for it."""

    def __init__(self, root: Path, folders: tuple[str, ...] = ("",)) -> None:
        super().__init__("test", "1")
        self.root = root
        self.folders = folders
        self.told: dict[str, lsp.PublishDiagnosticsParams] = {}
        self.messages: list[str] = []
        self.watched: list[str] = []
        self.versions: dict[str, int] = {}
        self._news = asyncio.Condition()

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: lsp.PublishDiagnosticsParams) -> None:
            async with self._news:
                self.told[params.uri] = params
                self._news.notify_all()

        @self.feature(lsp.WINDOW_SHOW_MESSAGE)
        async def shown(params: lsp.ShowMessageParams) -> None:
            async with self._news:
                self.messages.append(params.message)
                self._news.notify_all()

        @self.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def registered(params: lsp.RegistrationParams) -> None:
            self.watched += [registration.method for registration in params.registrations]

    def uri(self, path: str) -> str:
        return uris.from_fs_path(str(self.root / path)) or ""

    async def begin(self, settings: dict[str, Any], encodings: list[str] | None, has_places: bool) -> None:
        await self.start_io(sys.executable, "-m", "connlint.cli", "lsp", cwd=str(self.root))
        answer = await self.initialize_async(lsp.InitializeParams(
            lsp.ClientCapabilities(
                general=lsp.GeneralClientCapabilities(position_encodings=encodings),
                text_document=lsp.TextDocumentClientCapabilities(
                    publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(related_information=has_places)),
                workspace=lsp.WorkspaceClientCapabilities(
                    did_change_watched_files=lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True))),
            workspace_folders=[lsp.WorkspaceFolder(self.uri(folder), folder) for folder in self.folders],
            initialization_options={"delay": 20, **settings}))
        assert answer.server_info and answer.server_info.name == "connlint"
        self.initialized(lsp.InitializedParams())

    def open(self, path: str, text: str | None = None) -> None:
        self.versions[path] = 1
        text = (self.root / path).read_text("utf-8") if text is None else text
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(
            lsp.TextDocumentItem(self.uri(path), "python", 1, text)))

    def type(self, path: str, text: str) -> None:
        self.versions[path] += 1
        self.text_document_did_change(lsp.DidChangeTextDocumentParams(
            lsp.VersionedTextDocumentIdentifier(self.versions[path], self.uri(path)),
            [lsp.TextDocumentContentChangeWholeDocument(text)]))

    async def hears(self, path: str, rules: list[str]) -> list[lsp.Diagnostic]:
        """Wait until the diagnostics of the present version of a file are of these rules."""
        def is_so() -> bool:
            told = self.told.get(self.uri(path))
            return (told is not None and told.version == self.versions.get(path)
                    and sorted(str(d.code) for d in told.diagnostics) == sorted(rules))

        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(is_so), 40)
            except TimeoutError:
                told = self.told.get(self.uri(path))
                pytest.fail(f"{path}: {told and [(d.code, d.message) for d in told.diagnostics]}, {self.messages}")
        return list(self.told[self.uri(path)].diagnostics)

    async def reads(self, part: str) -> None:
        """Wait for a message."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: any(part in text for text in self.messages)), 40)

    async def offers(self, path: str, at: lsp.Range, only: list[str] | None = None) -> list[lsp.CodeAction]:
        found = await self.text_document_code_action_async(lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(self.uri(path)), at, lsp.CodeActionContext([], only=only)))
        return [action for action in found or [] if isinstance(action, lsp.CodeAction)]


def play(root: Path, scene: Callable[[Editor], Coroutine[Any, Any, None]], files: dict[str, str] = FILES, *,
         settings: dict[str, Any] | None = None, encodings: list[str] | None = None, has_places: bool = True,
         folders: tuple[str, ...] = ("",)) -> None:
    """Start a server for a project, play a scene with it, and let it end as it should."""
    write(root, dict(files))
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)

    async def whole() -> None:
        editor = Editor(root, folders)
        await editor.begin(settings or {}, encodings, has_places)
        await scene(editor)
        await editor.shutdown_async(None)
        editor.exit(None)
        await asyncio.wait_for(editor.stop(), 20)
        assert editor._server is not None and editor._server.returncode == 0

    asyncio.run(asyncio.wait_for(whole(), 110))


def changed(text: str, edit: lsp.WorkspaceEdit) -> str:
    """``text`` after the edits of one file, whose columns are counted in UTF-16."""
    [document] = edit.document_changes or []
    assert isinstance(document, lsp.TextDocumentEdit)
    lines = text.splitlines(keepends=True)

    def at(position: lsp.Position) -> int:
        before = "".join(lines[: position.line])
        line = lines[position.line] if position.line < len(lines) else ""
        return len(before) + len(line.encode("utf-16-le")[: 2 * position.character].decode("utf-16-le"))

    for one in sorted(document.edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
        assert isinstance(one, lsp.TextEdit)
        text = text[: at(one.range.start)] + one.new_text + text[at(one.range.end):]
    return text


def test_findings_while_typing_and_their_edits(tmp_path) -> None:
    async def scene(editor: Editor) -> None:
        editor.open("api/main.py")
        [finding] = await editor.hears("api/main.py", ["env-localhost-fallback"])
        assert (finding.source, finding.severity) == ("connlint", lsp.DiagnosticSeverity.Warning)
        # the rocket is two units of UTF-16, one character, four bytes
        assert (finding.range.start, finding.range.end) == (lsp.Position(4, 15), lsp.Position(4, 47))
        places = {Path(uris.to_fs_path(info.location.uri) or "").name: info
                  for info in finding.related_information or []}
        assert {"main.py", "settings.py"} <= places.keys()
        assert places["settings.py"].location.range.start == lsp.Position(2, 10)

        [action] = [a for a in await editor.offers("api/main.py", finding.range) if a.edit]
        assert action.kind == lsp.CodeActionKind.QuickFix and action.diagnostics
        text = changed(FILES["api/main.py"], action.edit)
        assert text.splitlines()[4] == 'URL = "🚀" and os.environ["ORDERS_URL"]'
        assert await editor.offers("api/main.py", lsp.Range(lsp.Position(0, 0), lsp.Position(1, 0))) == []
        assert await editor.offers("api/main.py", finding.range, ["refactor"]) == []
        editor.type("api/main.py", text)
        await editor.hears("api/main.py", [])

        editor.type("api/main.py", text + "from api.settings import NOTHING\n")
        [finding] = await editor.hears("api/main.py", ["missing-symbol"])
        assert finding.range.start.line == 5
        # the file that lacks the name gets it, in another window, and nothing is saved
        editor.open("api/settings.py", FILES["api/settings.py"] + "NOTHING = 1\n")
        await editor.hears("api/main.py", [])
        editor.type("api/settings.py", FILES["api/settings.py"])
        await editor.hears("api/main.py", ["missing-symbol"])
        editor.text_document_did_close(lsp.DidCloseTextDocumentParams(
            lsp.TextDocumentIdentifier(editor.uri("api/main.py"))))
        del editor.versions["api/main.py"]
        await editor.hears("api/main.py", [])

    play(tmp_path, scene)


def test_what_the_disk_and_the_user_change(tmp_path) -> None:
    async def scene(editor: Editor) -> None:
        editor.open("api/main.py")
        await editor.hears("api/main.py", ["env-localhost-fallback"])
        assert editor.watched == [lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES]
        editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"connlint": {"delay": 20}}))
        write(tmp_path, {"api/settings.py": 'DEFAULT = "http://orders:9000"\n'})
        editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(
            [lsp.FileEvent(editor.uri("api/settings.py"), lsp.FileChangeType.Changed)]))
        await editor.hears("api/main.py", ["missing-symbol"])
        editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(
            {"connlint": {"delay": 20, "ignore": ["imports"]}}))
        await editor.hears("api/main.py", [])
        editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"connlint": {"delay": 20}}))
        await editor.hears("api/main.py", ["missing-symbol"])
        editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(None))
        await editor.hears("api/main.py", [])
        editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"connlint": {"delay": 20}}))
        await editor.hears("api/main.py", ["missing-symbol"])
        write(tmp_path, {"connlint.toml": 'selekt = ["imports"]\n'})
        editor.text_document_did_save(lsp.DidSaveTextDocumentParams(
            lsp.TextDocumentIdentifier(editor.uri("api/main.py"))))
        await editor.reads("unknown key 'selekt'")
        write(tmp_path, {"connlint.toml": 'exclude = ["api/main.py"]\n'})
        editor.text_document_did_save(lsp.DidSaveTextDocumentParams(
            lsp.TextDocumentIdentifier(editor.uri("api/main.py"))))
        await editor.hears("api/main.py", [])
        assert len(editor.messages) == 1

    # the user wants no findings of this family until something else is said
    play(tmp_path, scene, settings={"ignore": ["imports"]})


def test_folders_new_files_and_files_outside(tmp_path) -> None:
    """Each folder is a project; what is not saved yet is part of it, and what is nowhere is left alone."""
    async def scene(editor: Editor) -> None:
        editor.open("one/a.py")
        editor.open("two/a.py")
        await editor.hears("one/a.py", ["missing-symbol"])
        await editor.hears("two/a.py", [])
        editor.open("two/new.py", FAULT)
        await editor.hears("two/new.py", ["env-localhost-fallback"])
        editor.open("two/a.py", "from new import URL, NOTHING\n")
        await editor.hears("two/a.py", ["missing-symbol"])
        editor.open("three/b.py")
        await editor.hears("three/b.py", ["env-localhost-fallback"])
        editor.text_document_did_open(lsp.DidOpenTextDocumentParams(
            lsp.TextDocumentItem("untitled:Untitled-1", "python", 1, FAULT)))
        editor.open("two/node_modules/x/a.py", FAULT)
        await editor.hears("two/node_modules/x/a.py", [])

    play(tmp_path, scene, {"one/a.py": "from b import x\n", "one/b.py": "", "two/a.py": "from b import x\n",
                           "two/b.py": "x = 1\n", "three/b.py": FAULT}, folders=("one", "two"))


def test_an_editor_that_shows_no_places_and_counts_bytes(tmp_path) -> None:
    async def scene(editor: Editor) -> None:
        editor.open("api/main.py")
        [finding] = await editor.hears("api/main.py", ["env-localhost-fallback"])
        assert finding.range.start == lsp.Position(4, 17)
        assert finding.related_information is None and "api/settings.py:3: " in finding.message

    play(tmp_path, scene, encodings=["utf-8", "utf-16"], has_places=False)


def test_a_file_that_does_not_parse_yet(tmp_path) -> None:
    """Half a line is no reason to fall silent about the rest, nor to end."""
    async def scene(editor: Editor) -> None:
        editor.open("a.py", FAULT + "def f(:\n")
        await editor.hears("a.py", ["env-localhost-fallback"])
        for text in ("", "\ud83d", "import", FAULT[:-3], FAULT):
            editor.type("a.py", text.encode("utf-8", "replace").decode())
        await editor.hears("a.py", ["env-localhost-fallback"])

    play(tmp_path, scene, {"a.py": ""})


@pytest.mark.parametrize(("units", "column"), [("utf-8", 14), ("utf-16", 11), ("utf-32", 10)])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_positions(units, column, end, mark) -> None:
    text = f"a{end}x = 'é🚀' + y{end}"
    data = mark + text.encode()
    source = Source.decode("a.py", data)
    wording = Wording(str, units, True)
    assert wording.position(source, data.index(b"+")) == lsp.Position(1, column - 1)
    assert wording.position(source, len(data)) == lsp.Position(2, 0)


@pytest.mark.parametrize(("given", "wanted"), [
    (None, Settings()),
    ({"select": ["imports"], "delay": 5}, Settings(select=("imports",), delay=5)),
    ({"connlint": {"config": "c.toml"}}, Settings(config="c.toml")),
    ({"connlint": {"select": "imports", "delay": 7, "other": 1}}, Settings(delay=7)),
    ([1], Settings()),
])
def test_settings(given, wanted) -> None:
    assert settings_of(given) == wanted


def test_what_was_read_is_kept_by_content() -> None:
    read: list[str] = []

    def reader(source: Source, words: Any) -> Any:
        read.append(source.text)
        return source.text

    through = Readings(most=10).through(reader)  # type: ignore[arg-type]
    rows = [("a.py", b"one", None), ("a.py", b"two", None), ("a.py", b"one", None), ("a.py", b"one", [b"w"]),
            ("a.py", b"one", {b"w"}), ("b.py", b"one", None), ("a.py", b"two", None)]
    for path, data, words in rows:
        assert through(Source.decode(path, data), words) == data.decode()
    assert read == ["one", "two", "one", "one", "two"], "as much as may be kept, by path, content and words"


def test_an_edit_that_is_not_proved_is_not_offered(tmp_path, monkeypatch) -> None:
    from connlint.editor import desk

    write(tmp_path, {"a.py": FAULT})
    table = desk.Desk(tmp_path)
    checked = table.check({"a.py": FAULT}, Settings())
    monkeypatch.setattr(desk, "fault_of_text", lambda *given: "it would break something")
    assert table.offered(checked) == []
    monkeypatch.undo()
    assert table.offered(checked) == [], "asked once"
    [offer] = table.offered(table.check({"a.py": FAULT}, Settings()))
    assert isinstance(offer, Offer)


def test_without_the_extra(tmp_path) -> None:
    script = ("import sys; sys.modules['pygls'] = None; sys.argv = ['connlint', 'lsp']\n"
              "from connlint.cli import main; main()")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "pip install 'connlint[lsp]'" in done.stderr
