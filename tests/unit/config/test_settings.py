from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.config import SETTINGS, environment_of, read_settings, unknown_settings
from logdrain.errors import ConfigError
from logdrain.model.keys import Scope

SECRET = "0123456789abcdef"


def test_the_defaults_are_the_documented_ones() -> None:
    settings = read_settings({})
    assert (settings.port, settings.store_timeout_s, settings.tables_max) == (8080, 4.0, 1000)
    assert settings.keys == ()


def test_all_mistakes_at_once_and_no_secret() -> None:
    environment = {
        "PORT": "http",
        "MONGODB_URI": f"localhost?{SECRET}",
        "LOGDRAIN_TABLES_MAX": "0",
        "LOGDRAIN_MONGODB_DRIVER": "pymango",
        "LOGDRAIN_KEYS": f"drain:ok:{SECRET}, {SECRET}x, drain:shop:short, drain:a b:{SECRET}",
    }
    with pytest.raises(ConfigError) as caught:
        read_settings(environment)
    text = str(caught.value)
    for name in ("PORT", "MONGODB_URI", "LOGDRAIN_TABLES_MAX", "LOGDRAIN_MONGODB_DRIVER", "key 2", "key 3"):
        assert name in text
    assert SECRET not in text
    assert "short" not in text.replace("fewer", "")


def test_keys_of_several_scopes_and_separators() -> None:
    settings = read_settings(
        {"LOGDRAIN_KEYS": f" drain:shop:{SECRET},read:bi:{SECRET}:x\nadmin:ops:{SECRET} "}
    )
    assert [(key.scope, key.name) for key in settings.keys] == [
        (Scope.DRAIN, "shop"),
        (Scope.READ, "bi"),
        (Scope.ADMIN, "ops"),
    ]


def test_nothing_secret_prints() -> None:
    settings = read_settings(
        {
            "MONGODB_URI": f"mongodb://u:{SECRET}@h/d",
            "DATABASE_URL": f"postgres://u:{SECRET}@h/d",
            "LOGDRAIN_KEYS": f"drain:shop:{SECRET}",
        }
    )
    assert SECRET not in repr(settings)


names = st.sampled_from([setting.name for setting in SETTINGS])


@given(st.dictionaries(names, st.text(st.characters(exclude_characters="\x00"), max_size=30)))
def test_any_environment_is_read_or_refused(environment: dict[str, str]) -> None:
    problem = ""
    try:
        read_settings(environment)
    except ConfigError as error:
        problem = error.message
    assert not problem or any(name in problem for name in environment)


def test_a_variable_that_is_nearly_a_setting_is_told_of() -> None:
    environment = {
        "LOGDRAIN_KYES": "",
        "LOGDRAIN_URL": "http://a",
        "LOGDRAIN_KEYS": "",
        "X": "",
    }
    assert unknown_settings(environment) == [
        "LOGDRAIN_KYES is no setting: did you mean 'LOGDRAIN_KEYS'?",
    ]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DYNO": "web.1"},
        {
            "LOGDRAIN_QUERY_PROCESSES": "2",
            "LOGDRAIN_METRICS_OPEN": "1",
            "LOGDRAIN_SPOOL_FOLDER": "/spool",
            "MONGODB_URI": "mongodb://u:p@db/logdrain",
        },
    ],
    ids=["nothing", "dyno", "some"],
)
def test_a_child_reads_the_same_settings_but_no_keys(environment: dict[str, str]) -> None:
    settings = read_settings({**environment, "LOGDRAIN_KEYS": "drain:shop:" + "s" * 32})
    assert read_settings(environment_of(settings)) == replace(settings, keys=())
