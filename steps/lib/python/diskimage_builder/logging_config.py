"""Logging for the Python programs of elements, as they expect to find it."""

import logging
import os
import sys


def setup():
    """Log to standard error, in detail if the build is traced."""
    traced = int(os.environ.get("DIB_DEBUG_TRACE") or 0) > 0
    logging.basicConfig(
        level=logging.DEBUG if traced else logging.INFO,
        stream=sys.stderr,
        format="%(levelname)s %(name)s [-] %(message)s",
    )
