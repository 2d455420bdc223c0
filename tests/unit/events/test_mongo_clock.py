from datetime import UTC, datetime, timedelta
from typing import Any

from logdrain.events.write.server_clock import MongoClock

START = datetime(2012, 3, 1, 1, tzinfo=UTC)


class Server:
    """Counts how often it is asked for its time, which the driver reads without a zone."""

    def __init__(self) -> None:
        self.time = START
        self.asked = 0

    async def command(self, _name: str) -> dict[str, datetime]:
        self.asked += 1
        return {"localTime": self.time.replace(tzinfo=None)}


async def test_the_server_is_asked_now_and_then_and_time_goes_on_between() -> None:
    server: Any = Server()
    elapsed_s = 1000.0
    clock = MongoClock(server, lambda: elapsed_s)
    assert await clock.now() == START
    elapsed_s += 9.5
    assert (await clock.now(), server.asked) == (START + timedelta(seconds=9.5), 1)
    elapsed_s += 0.5
    server.time = START + timedelta(hours=1)  # it has stepped
    assert (await clock.now(), server.asked) == (START + timedelta(hours=1), 2)
