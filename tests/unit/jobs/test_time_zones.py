import pytest

from logdrain.errors import ZoneInvalid
from logdrain.jobs.time_zones import zone


@pytest.mark.parametrize("name", ["UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "Etc/GMT+9"])
def test_iana_names_are_zones(name: str) -> None:
    assert zone(name).key == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("JST", "Asia/Tokyo"),
        ("PST", "America/Los_Angeles"),
        ("EST", "America/New_York"),
        ("pdt", "America/Los_Angeles"),
        ("Japan", "names look like Asia/Tokyo"),
        ("Tokyo", "Asia/Tokyo"),
        ("Los Angeles", "America/Los_Angeles"),
        ("America/San_Francisco", "did you mean"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("", "Asia/Tokyo"),
        ("../etc/passwd", "Asia/Tokyo"),
        ("/etc/passwd", "Asia/Tokyo"),
        ("America/", "America/"),
        ("Asia/To\0kyo", "Asia/Tokyo"),
    ],
)
def test_anything_else_is_refused_with_what_was_probably_meant(name: str, hint: str) -> None:
    with pytest.raises(ZoneInvalid) as caught:
        zone(name)
    assert hint in caught.value.hint
