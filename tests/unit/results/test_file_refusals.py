import errno
import os

import pytest

from logdrain.results.files.folder_files import file_error


@pytest.mark.parametrize(
    ("number", "is_retryable", "hint"),
    [
        (errno.ENOSPC, True, "make room"),
        (errno.EDQUOT, True, "quota"),
        (errno.EIO, True, "failing"),
        (errno.ENOENT, True, "LOGDRAIN_RESULT_FOLDER is not there"),
        (errno.EACCES, False, "let the worker's user write there"),
        (errno.EROFS, False, "read-only"),
        (errno.EISDIR, False, "a folder stands at this path"),
        (errno.ELOOP, False, "links are not followed"),
        (errno.ENOLCK, False, "has no locks"),
        (errno.ENXIO, True, "the system's log"),
    ],
)
def test_what_passes_is_tried_again(number: int, is_retryable: bool, hint: str) -> None:  # noqa: FBT001  # a parameter
    error = file_error(OSError(number, os.strerror(number)), "/srv/exports/pay.csv")
    assert error.retryable is is_retryable
    assert error.message == f"the file /srv/exports/pay.csv cannot be written: {os.strerror(number)}"
    assert hint in error.hint
