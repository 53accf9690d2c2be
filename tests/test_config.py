"""The configuration: where it is found, what it may say, and how it complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from connlint import cards
from connlint.cards import CardError
from connlint.config import Config, ConfigError, load, validate
from connlint.model.finding import Level
from connlint.model.rule import Card, Rules


def card(rule: str, family: str) -> Card:
    return Card(rule, rule.title().replace("-", ""), family, "check", "warning", "high", {}, {}, (), "", "")


RULES = Rules({c.id: c for c in (
    card("open-door", "doors"), card("shut-door", "doors"), card("dim-lamp", "lamps"),
)}, {})


def project(tmp_path: Path, **files: str) -> Path:
    """A git repository in a folder of its own; ``a__b_toml`` is the file ``a/b.toml``."""
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_toml", ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def reported(config: Config, path: str = "src/app.py") -> dict[str, Level]:
    """Rule → level for a finding whose evidence earned a warning, for the rules that report in ``path``."""
    found = {rule: config.level(c, path, "warning") for rule, c in RULES.cards.items()}
    return {rule: level for rule, level in found.items() if level is not None}


def of(tmp_path: Path, text: str) -> Config:
    config = load(project(tmp_path, connlint_toml=text))
    validate(config, RULES)
    return config


ALL = {"open-door": "warning", "shut-door": "warning", "dim-lamp": "warning"}


@pytest.mark.parametrize(("text", "expected"), [
    ("", ALL),
    ("select = ['doors']", {"open-door": "warning", "shut-door": "warning"}),
    ("select = ['open-door', 'lamps']", {"open-door": "warning", "dim-lamp": "warning"}),
    ("ignore = ['doors']", {"dim-lamp": "warning"}),
    ("ignore = ['dim-lamp']", {"open-door": "warning", "shut-door": "warning"}),
    # the id counts more than the family, whichever of the two lists names it
    ("select = ['open-door']\nignore = ['doors']", {"open-door": "warning"}),
    ("select = ['doors']\nignore = ['open-door']", {"shut-door": "warning"}),
    ("select = ['open-door']\nignore = ['open-door']", {}),
    ("[levels]\nopen-door = 'error'\nlamps = 'note'",
     {"open-door": "error", "shut-door": "warning", "dim-lamp": "note"}),
    ("[levels]\ndoors = 'off'\nopen-door = 'note'", {"open-door": "note", "dim-lamp": "warning"}),
    ("[levels]\ndim-lamp = 'off'", {"open-door": "warning", "shut-door": "warning"}),
])
def test_rules_and_levels(tmp_path: Path, text: str, expected: dict[str, Level]) -> None:
    assert reported(of(tmp_path, text)) == expected


@pytest.mark.parametrize(("glob", "path", "covered"), [
    ("tests/", "tests/unit/test_app.py", True),
    ("tests/", "src/tests/test_app.py", True),
    ("/tests/", "src/tests/test_app.py", False),
    ("*.mjs", "web/a/b.mjs", True),
    ("src/*.py", "src/deep/app.py", False),
    ("src/**/*.py", "src/deep/app.py", True),
    ("migrations", "src/migrations/0001.py", True),
    ("migrations", "src/migrations.py", False),
])
def test_globs_mean_what_gitignore_means(tmp_path: Path, glob: str, path: str, covered: bool) -> None:
    config = of(tmp_path, f"exclude = ['{glob}']\n[per-file-ignores]\n'{glob}' = ['doors']")
    assert config.excluded(path) is covered
    assert reported(config, path) == ({"dim-lamp": "warning"} if covered else ALL)


@pytest.mark.parametrize(("below", "path", "covered"), [
    ("", "api/gen/client.py", True),       # started where the file is
    ("api", "gen/client.py", True),        # started below it: paths are relative to where it was started
    ("api", "gen.py", False),
    ("..", "repo/api/gen/client.py", True),  # a root above it
    ("..", "other/api/gen/client.py", False),
])
def test_globs_are_relative_to_the_file(tmp_path: Path, below: str, path: str, covered: bool) -> None:
    root = project(tmp_path, connlint_toml="exclude = ['/api/gen/']", api__gen__x_toml="")
    config = load(root).at((root / below).resolve())
    assert config.excluded(path) is covered


def test_the_nearest_file_is_used_alone(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        connlint_toml="select = ['doors']",
        pyproject_toml="[tool.connlint]\nselect = ['lamps']",
        api__pyproject_toml="[tool.connlint]\nnotebooks = true",
        web__pyproject_toml="[tool.other]\nselect = ['connlint']",
        bad__pyproject_toml="[project\n{{ a template }}",
    )
    assert load(root).select == ("doors",), "connlint.toml stands before pyproject.toml"
    assert load(root / "api" / "src" / "missing").notebooks, "found from a folder below, even one that is not there"
    assert load(root / "api").select == (), "nothing is merged"
    for folder in ("web", "bad"):
        assert load(root / folder).origin == root / "connlint.toml", f"{folder}: a pyproject.toml without us is passed"
    explicit = load(root, Path("api/pyproject.toml"))
    assert explicit.notebooks and explicit.select == () and explicit.base == root


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "connlint.toml").write_text("fail-on = 'never'", encoding="utf-8")
    assert load(project(tmp_path)).origin is None
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    assert load(tmp_path / "elsewhere" / "deep").fail_on == "never", "without a repository it goes on"


def test_everything_it_may_say(tmp_path: Path) -> None:
    root = project(tmp_path, ci__rules__x_toml="", pyproject_toml="""
        [tool.connlint]
        select = ["doors"]
        ignore = ["shut-door"]
        exclude = ["legacy/"]
        rules = ["ci/rules"]
        fail-on = "error"
        require-reason = true
        notebooks = true
        [tool.connlint.levels]
        doors = "error"
        [tool.connlint.per-file-ignores]
        "tests/" = ["open-door"]
    """)
    config = load(root)
    validate(config, RULES)
    assert config.rules == (root / "ci/rules",)
    assert (config.fail_on, config.require_reason, config.notebooks) == ("error", True, True)
    assert reported(config) == {"open-door": "error"}
    assert reported(config, "tests/app.py") == {}


@pytest.mark.parametrize(("given", "expected"), [
    ({}, {"open-door": "error"}),
    ({"select": ["lamps"]}, {"dim-lamp": "warning"}),                     # a new selection: nothing is ignored or off
    ({"select": ["doors"]}, {"open-door": "error", "shut-door": "warning"}),
    ({"ignore": ["open-door"]}, {}),
    ({"select": ["doors"], "ignore": ["open-door"]}, {"shut-door": "warning"}),
])
def test_the_command_line_counts_more(tmp_path: Path, given: dict[str, list[str]], expected: dict[str, Level]) -> None:
    config = of(tmp_path, "ignore = ['shut-door']\n[levels]\nopen-door = 'error'\nlamps = 'off'")
    assert reported(config.with_command_line(**given)) == expected


def test_the_command_line_adds_globs_and_sets_the_bar(tmp_path: Path) -> None:
    config = of(tmp_path, "exclude = ['a/']").with_command_line(exclude=["b/"], fail_on="never")
    assert [config.excluded(path) for path in ("a/x.py", "b/x.py", "c/x.py")] == [True, True, False]
    assert config.fail_on == "never"


@pytest.mark.parametrize(("text", "message"), [
    ("slect = []", "connlint.toml:1: unknown key 'slect'; did you mean 'select'?"),
    ("\nfail_on = 'error'", "connlint.toml:2: unknown key 'fail_on'; did you mean 'fail-on'?"),
    ("colour = 'red'", "connlint.toml:1: unknown key 'colour'"),
    ("[tool.connlint]\nselect = []", "connlint.toml:1: unknown key 'tool'; the keys stand at the top level of this "
                                     "file, without [tool.connlint]"),
    ("[per-file-ignore]\n", "connlint.toml:1: unknown key 'per-file-ignore'; did you mean 'per-file-ignores'?"),
    ("select = 'doors'", "connlint.toml:1: select must be a list of strings, not a string"),
    ("select = [1]", "connlint.toml:1: select: every entry must be a string, not a number"),
    ("notebooks = 'yes'", "connlint.toml:1: notebooks must be true or false, not a string"),
    ("notebooks = 2020-01-01", "connlint.toml:1: notebooks must be true or false, not a date or time"),
    ("levels = ['error']", "connlint.toml:1: levels must be a table, not a list"),
    ("[levels]\nlamps = 'warn'",
     "connlint.toml:1: levels.lamps must be one of note, warning, error, off, not 'warn'; did you mean 'warning'?"),
    ("fail-on = 3", "connlint.toml:1: fail-on must be one of note, warning, error, never, not a number"),
    ("[per-file-ignores]\n'a.py' = 'doors'",
     'connlint.toml:1: per-file-ignores."a.py" must be a list of strings, not a string'),
    ("rules = ['ci']", "connlint.toml:1: rules: no folder 'ci' beside this file"),
    ("select = ['open-dor']", "connlint.toml:1: select: no rule or family 'open-dor'; did you mean 'open-door'?"),
    ("\n\nignore = ['lamp']", "connlint.toml:3: ignore: no rule or family 'lamp'; did you mean 'lamps'?"),
    ("[levels]\nzebra = 'off'", "connlint.toml:1: levels: no rule or family 'zebra'"),
    ("[per-file-ignores]\n'a.py' = ['Doors']",
     "connlint.toml:1: per-file-ignores: no rule or family 'Doors'; did you mean 'doors'?"),
    ("exclude = ['!']", "connlint.toml:1: exclude: '!' is no glob"),
])
def test_complaints(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        of(tmp_path, text)
    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "place"), [
    ("select = [\n'doors'\n\n= 3", "connlint.toml:4:1: "),
    ("\nnotebooks = true\nnotebooks = false", "connlint.toml:3"),
    ("\nselect = [", "connlint.toml:2"),
])
def test_broken_toml_is_placed(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        of(tmp_path, text)
    assert str(caught.value).startswith(place) and "\n" not in str(caught.value)


def test_complaints_about_pyproject_name_the_table(tmp_path: Path) -> None:
    root = project(tmp_path, pyproject_toml="[project]\nname = 'x'\n[tool.connlint]\nselct = []", api__x_toml="")
    for start, shown in ((root, "pyproject.toml"), (root / "api", "../pyproject.toml")):
        with pytest.raises(ConfigError) as caught:
            load(start)
        assert str(caught.value) == f"{shown}:4: unknown key 'selct' in [tool.connlint]; did you mean 'select'?"


def test_complaints_about_bytes_and_files(tmp_path: Path) -> None:
    root = project(tmp_path, pyproject_toml="[tool.other]")
    (root / "connlint.toml").write_bytes(b"# fine\nselect = ['\xff']")
    for explicit, message in (
        (None, "connlint.toml:2: not UTF-8 (byte 0xff)"),
        (Path("gone.toml"), "gone.toml: no such file or directory"),
        (Path(), ".: is a directory"),
        (Path("pyproject.toml"), "pyproject.toml: no [tool.connlint] in it"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(root, explicit)
        assert str(caught.value) == message
    (root / "connlint.toml").write_bytes(b"\xef\xbb\xbfselect = ['doors']\r\n")
    assert load(root).select == ("doors",), "a byte-order mark and Windows line ends are fine"


def test_the_command_line_is_named_in_complaints(tmp_path: Path) -> None:
    config = of(tmp_path, "").with_command_line(select=["open-doors"])
    with pytest.raises(ConfigError) as caught:
        validate(config, RULES)
    assert str(caught.value) == "--select: no rule or family 'open-doors'; did you mean 'open-door'?"


def test_a_table_that_no_check_looks_at_is_refused(tmp_path: Path) -> None:
    """A slip of the pen in an own table would else switch it off without a word."""
    root = project(tmp_path, ci__rules__apis__mine_toml="[[clients]]\nnames = ['own.Client']\n")
    said = r"apis/mine.toml: no check looks at \[\[clients\]\]; did you mean \[\[client\]"
    with pytest.raises(CardError, match=said):
        cards.load((root / "ci/rules",))


_OWN = """[[client]]
names = ["own.Client"]
form = "call"
kind = "client"
address = ["0"]
missing = "localhost"
connects = "construct"
release = [{ call = "close" }]
"""


@pytest.mark.parametrize(("name", "text", "said"), [
    ("python", _OWN, None),
    ("mine", _OWN + "language = 'javascript'\n", None),
    ("python", _OWN.replace('connects = "construct"\n', ""), r"\[\[client\]\] own.Client does not say `connects`$"),
    ("python", "[[client]]\nnames = ['own.Client']\n", "does not say `address` and `connects` and `form` and `kind`"),
    ("mine", _OWN, "own.Client is for no language: a name of the table that ends in javascript or python says it"),
])
def test_an_entry_has_to_say_what_checks_ask_for(tmp_path: Path, name: str, text: str, said: str | None) -> None:
    folder = project(tmp_path, **{f"ci__rules__apis__{name}_toml": text}) / "ci/rules"
    if said is None:
        assert "own.Client" in cards.load((folder,)).apis["client"][-1]["names"]
        return
    with pytest.raises(CardError, match=said):
        cards.load((folder,))
