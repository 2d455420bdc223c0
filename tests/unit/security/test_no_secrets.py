"""No secret is in the repository: known forms, passwords in URLs, and random text that is called one."""

import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

FORMS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "Heroku token": r"\bHRKU-[\w-]{30,}",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22})",
    "Slack token": r"\bxox[abeprs]-[\w-]{10,}|hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{16,}",
    "Google key": r"\bAIza[\w-]{35}",
    "PyPI token": r"\bpypi-AgE[\w-]{20,}",
    "JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "logdrain key": r"\bldk_[0-9a-f]{64}",
}
PASSWORD_IN_URL = re.compile(r"\b[a-z][a-z0-9+]*://[^\s:/@\"'`]*:([^\s@\"'`/]{8,})@")
NAMED_SECRET = re.compile(
    r"(?i)(?:secret|token|passw(?:or)?d|api_?key)\w*[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9+/_=-]{20,})"
)
PLACEHOLDER = re.compile(r"[{}$<>…*%(]|\A[A-Z_]+\Z")
# Bits per character: words stay below, random text comes above.
PASSWORD_BITS, NAMED_BITS = 2.9, 3.8


def findings(text: str) -> list[str]:
    """What in a text looks like a secret, with its line."""
    found: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        found += [f"line {number}: {name}" for name, form in FORMS.items() if re.search(form, line)]
        for kind, pattern, bits in (
            ("password in a URL", PASSWORD_IN_URL, PASSWORD_BITS),
            ("secret", NAMED_SECRET, NAMED_BITS),
        ):
            found += [f"line {number}: {kind}" for text in pattern.findall(line) if is_random(text, bits)]
    return found


def is_random(text: str, bits: float) -> bool:
    if PLACEHOLDER.search(text):
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    has_mixture = bool(re.search(r"\d", text) and re.search(r"[A-Za-z]", text))
    return has_mixture and -sum(share * math.log2(share) for share in shares) >= bits


def repository_files() -> Iterator[Path]:
    """Tracked files and those about to be; without git all but hidden ones."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        paths = [ROOT / name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        ]
    return (path for path in paths if path.is_file())


def test_no_file_has_a_secret() -> None:
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in repository_files()}
    assert Path(__file__) in texts
    found = {str(path.relative_to(ROOT)): findings(text) for path, text in texts.items()}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "pieces",
    [
        ("-----BEGIN RSA ", "PRIVATE KEY-----"),
        ("id = AKIA", "IOSFODNN7EXAMPLE"),
        ("HRKU-", "AA0123456789abcdef0123456789abcdef"),
        ("ghp_", "0123456789abcdefghijABCDEFGHIJ012345"),
        ("xoxb-", "123456789012-abcdef"),
        ("https://hooks.slack.com/services/T0AAAAAAA", "/B0AAAAAAA/0123456789abcdefghij"),
        ("AIza", "0123456789abcdefghijklmnopqrstuvwxy"),
        ("pypi-AgE", "IcHlwaS5vcmcCJDAwMDAw"),
        ("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlIQ"),
        ("ldk_", "0123456789abcdef" * 4),
        ("postgres://uabc:", "p8Xq2vK9rT@ec2-1-2-3-4.example.com:5432/d1"),
        ("mongodb+srv://u:", "q7ZkP3mWx1@cluster0.example.net/logdrain"),
        ('API_KEY = "', '4f9Kd02mXq7LzP81vRtY6uWe"'),
        ("drain_token: ", "d1e4b0c7-93aa-4f58-8b21-7c0e6f52a9d4"),
    ],
)
def test_a_secret_would_be_seen(pieces: tuple[str, str]) -> None:
    assert findings("".join(pieces))


@pytest.mark.parametrize(
    "text",
    [
        "postgres://USER:PASSWORD@HOST:5432/DATABASE",
        "https://shop:$KEY_NUMBER_2@host/logs",
        'f"postgres://{user}:{password_of_2}@host"',
        "mongodb://someone:opensesame@host",
        "--hash=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        'secret_name = "heroku_postgresql_navy_url"',
        "drain:shop:$(openssl rand -hex 32)",
    ],
)
def test_an_example_is_not_taken_for_one(text: str) -> None:
    assert findings(text) == []
