"""Nouns of late data: events that arrive after their hour has ended."""

from datetime import datetime
from typing import NamedTuple

from logdrain.model.events import Table


class LateNote(NamedTuple):
    """Events of this hour have arrived, or are just arriving, after it ended.

    The note is written before the events are; whoever reads it waits a little (see LATE_SETTLES_S).

    Attributes:
        hour_s: Start of the hour of event time, unix seconds.
        noted_at: When it was last noted, by MongoDB's clock.
    """

    table: Table
    hour_s: int
    noted_at: datetime


LATE_SETTLES_S = 30
"""So long after a note its events are stored or never will be: a scan that began later has seen them."""
