"""What libraries in C print, kept out of the standard output."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def c_output_as_messages() -> Iterator[None]:
    """What C code prints to the standard output goes to the standard error.

    HiGHS prints a line about its inner solutions now and then, whatever it is told. In the output
    of a command it would stand before the JSON. What Python prints meanwhile goes there, too.
    """
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        # C keeps what it prints until its buffer is full, and would write it after the change.
        with suppress(OSError, TypeError, AttributeError):
            ctypes.CDLL(None).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
