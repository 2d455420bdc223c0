"""The settings of an empty environment, but for some."""

from dataclasses import replace
from typing import Any

from logdrain.config import Settings, read_settings


def settings_with(**changes: Any) -> Settings:
    return replace(read_settings({}), **changes)
