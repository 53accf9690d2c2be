"""What counts as a slip of the pen."""

from __future__ import annotations

import pytest

from connlint.project.slips import is_slip
from projects import report


@pytest.mark.parametrize(("written", "meant", "slip"), [
    ("load_setings", "load_settings", True), ("roundedd", "rounded", True), ("biuld", "build", True),
    ("getuser", "getUser", True), ("get_user", "getUser", True), ("./header", "./Header", True),
    ("drivers", "driver", True),
    ("strat", "start", True), ("rounder", "rounded", True), ("abdc", "abcd", True), ("xstart", "start", True),
    ("start", "start", False), ("MONTHS", "MONTHLY", False), ("ab", "ac", False), ("abcd", "dcba", False),
    ("create", "created_at", False), ("user", "users_all", False), ("abdce", "abcdf", False),
])  # fmt: skip
def test_slips(written, meant, slip):
    assert is_slip(written, meant) is slip


def test_a_name_in_other_letters_is_told_as_such():
    files = {"src/page.ts": "import { Bar } from './infoBar/infobar.component';\nBar();\n",
             "src/infobar/infobar.component.css": "", "src/infobar/infobar.component.spec.ts": "",
             "src/infobar/infobar.component.ts": "export class Bar {}\n", "package.json": "{}", "tsconfig.json": "{}"}
    (found,) = report(files).findings
    assert "did you mean './infobar/infobar.component'? Only the case of letters differs" in found.message


@pytest.mark.parametrize(("module", "imported", "hint"), [
    ("export default class Bell {}\n", "import { Bell } from './bell.js';\nnew Bell();\n", True),
    ("export default (x) => x;\n", "import { bell } from './bell.js';\nbell();\n", True),
    ("export default (x) => x;\n", "import { ring } from './bell.js';\nring();\n", False),
    ("module.exports = { toll: 1 };\n", "const { ring } = require('./bell.js');\nring();\n", False),
])
def test_a_default_is_only_offered_for_what_it_may_be(module, imported, hint):
    files = {"package.json": '{"name": "shop"}', "bell.js": module, "main.js": imported}
    assert ["default" in f.message for f in report(files).findings if f.rule == "missing-symbol"] == [hint]
