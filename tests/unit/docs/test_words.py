"""The glossary names files that are there, and the nouns of public classes are words of the field."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "logdrain"
WORDS = ROOT / "docs" / "reference" / "words.md"
ARCHITECTURE = ROOT / "docs" / "explanation" / "architecture.md"

# What every engineer knows.
_FIELD_WORDS = """
answer attribute batcher batches body builder cache call cast casts cause cells channel check chores client
clock clues collection column columns command comparator connection connections constant context core count
courier cron cursor database databases deadlines declarations decoder dialect documents due encoded entry
error exchange facts failure field file filter folder format frames function generator groups handler hive
hour hours id item join key keys kind limit limiter limits lines logplex measure migration mode name note
notes notices outcome parameter parser part parts pass piece placement predicate queries query question
range reader reading reads reason recorder refusal rejection replay report request reservation results risk
runner runs scans schedules scope segment segments sender server session sessions settings shape shipper
slices source span split splits splitter sql start state status stop store stream struct summary tables
target text thread timeouts tree trino type unit url value verdict version wait writer writers
"""
# Names that are still to be replaced by the field's.
_STRANGE = "foreign intake kept look mark quarantined refused ring shelf spooled stored up use"
FIELD_WORDS = frozenset(f"{_FIELD_WORDS} {_STRANGE}".split())


def test_the_files_that_pages_name_are_there() -> None:
    for page in (WORDS, ARCHITECTURE):
        named = re.findall(r"`((?!tests/)[a-z_0-9]+(?:/[a-z_0-9]+)*\.py)`", page.read_text())
        assert named
        assert [path for path in named if not (PACKAGE / path).is_file()] == [], page


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("dedup", "drain/ids.py"),
        ("dedup", "events/write/insert_batcher.py"),
        ("group commit", "events/write/insert_batcher.py"),
        ("heartbeat", "worker/loop.py"),
        ("memory limit", "memory_budget.py"),
        ("rate limit", "keys/auth_rate_limiter.py"),
        ("retention", "events/write/quarantine.py"),
        ("retention", "worker/chores.py"),
    ],
)
def test_what_an_engineer_greps_for_stands_in_the_file_that_does_it(words: str, path: str) -> None:
    docstring = ast.get_docstring(ast.parse((PACKAGE / path).read_text())) or ""
    assert words in docstring.lower()


def test_the_words_stand_in_order() -> None:
    words = re.findall(r"^\| ([a-z -]+) \|", WORDS.read_text(), flags=re.MULTILINE)
    assert words == sorted(words)


def test_the_noun_of_each_public_class_is_a_word_of_the_field() -> None:
    glossary = re.findall(r"^\| ([a-z -]+) \|", WORDS.read_text(), flags=re.MULTILINE)
    known = FIELD_WORDS | {word for entry in glossary for word in entry.split()}
    strange = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent.name != "errors"  # an error is named for what went wrong
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        if re.findall(r"[A-Z][a-z0-9]*", node.name)[-1].lower() not in known
    ]
    assert strange == []
