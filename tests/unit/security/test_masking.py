"""A password is never in a message, whatever it is made of and wherever the URL goes."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain import log
from logdrain.clients.http_drain import DrainUrl
from logdrain.config import read_settings
from logdrain.errors import LogdrainError
from logdrain.events.mongo_client import database_name
from logdrain.keys.postgres_keys import PostgresKeys
from logdrain.model.ledger_url import ledger_conninfo
from logdrain.results.url.target import check_url, parse_result

# What somebody pastes without encoding it, too. The mark makes any piece of it easy to find.
MARK = "Zq7"
ODD = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=" ") | st.sampled_from("%@:/?#&=[]")
)
PASSWORDS = st.builds("{}{}{}{}".format, ODD, st.just(MARK), ODD, st.just(MARK))
SCHEMES = st.sampled_from(["postgres", "postgresql", "mongodb", "mongodb+srv", "http", "https"])
USERS = st.text("abcXYZ0-._@/", max_size=8)


def url(scheme: str, user: str, password: str) -> str:
    return f"{scheme}://{user}:{password}@host.example:5432/db"


@given(SCHEMES, USERS, PASSWORDS, st.booleans())
def test_masked_text_has_nothing_of_it(scheme: str, user: str, password: str, is_encoded: bool) -> None:  # noqa: FBT001  # a drawn value
    text = url(scheme, user, quote(password, safe="") if is_encoded else password)
    masked = log.mask(f"cannot open {text} today")
    assert MARK not in masked
    assert masked.startswith(f"cannot open {scheme}://")
    assert masked.endswith("@host.example:5432/db today")
    assert MARK not in log.format_pairs({"event": "x", "url": text, "message": f"at {text}"})


@given(st.text())
def test_what_has_no_url_is_left_alone(text: str) -> None:
    assert log.mask(text.replace("://", "")) == text.replace("://", "")


@pytest.mark.parametrize("text", ["a" * 200_000, "a://b:" * 40_000, "a://" + "@:" * 80_000])
def test_masking_is_quick_whatever_the_text(text: str) -> None:
    """Paths of requests come here: quadratic work on these would take minutes."""
    masked = [log.mask(text) for _ in range(20)]
    assert log.mask(masked[0]) == masked[0]


DOORS: list[Callable[[str], object]] = [
    ledger_conninfo,
    PostgresKeys,
    database_name,
    check_url,
    parse_result,
    DrainUrl.parse,
    lambda text: read_settings({"MONGODB_URI": text, "DATABASE_URL": text, "LOGDRAIN_KEYS": text}),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: getattr(door, "__name__", "door"))
@given(scheme=SCHEMES, user=USERS, password=PASSWORDS)
def test_no_error_quotes_it(door: Callable[[str], object], scheme: str, user: str, password: str) -> None:
    error = error_of(lambda: door(url(scheme, user, password)))
    assert MARK not in str(error)
    # What is chained would be in a traceback.
    cause = error and (error.__cause__ if error.__suppress_context__ else error.__context__)
    assert MARK not in str(cause)


def error_of(call: Callable[[], object]) -> LogdrainError | None:
    try:
        call()
    except LogdrainError as error:
        return error
    return None
