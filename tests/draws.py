"""Some of many cases at a desk, others each day; all of them in the gate.

The gate runs the hypothesis profile `deep`, desks the profile `desk`. A profile limits the
examples of properties; this limits the cases of parametrized tests. `FAULTS=long`, for
the long forms of the fault tests, runs all cases, too.
"""

from __future__ import annotations

import datetime
import os
import random
from collections.abc import Iterable
from typing import TypeVar

Case = TypeVar("Case")

# the processes that share the tests of a run must draw the same, also at midnight
_DAY = os.environ.setdefault("TESTS_DAY", datetime.date.today().isoformat())


def drawn(cases: Iterable[Case], count: int) -> list[Case]:
    """`count` of the cases in their order, by the day; in the gate all of them."""
    known = list(cases)
    profile, faults = (
        os.environ.get(name) for name in ("HYPOTHESIS_PROFILE", "FAULTS")
    )
    if profile == "deep" or faults == "long" or len(known) <= count:
        return known
    places = random.Random(_DAY).sample(range(len(known)), count)
    return [known[place] for place in sorted(places)]
