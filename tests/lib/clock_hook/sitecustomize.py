"""Python imports this at the start of every process whose PYTHONPATH holds this directory: its wall clock can be set.

The file that CLOCK_HOOK names holds by how many seconds ``time.time`` is ahead; without it the clock is right. Nothing else is
touched: not the clocks that nobody sets, nor the day that ``datetime`` tells.
"""

import os
import time

_right, _file = time.time, os.environ["CLOCK_HOOK"]


def _ahead():
    try:
        with open(_file, encoding="ascii") as told:
            return float(told.read() or 0)
    except OSError:
        return 0.0


time.time = lambda: _right() + _ahead()
