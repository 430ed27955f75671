"""How many examples the property tests draw: few and always the same in CI, many with one variable.

`GLINER_BENCH_PROPERTIES=2000 python -m pytest tests/faults/test_properties_*.py` draws 2,000 new ones for each test.
"""

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def drawn(examples: int) -> settings:
    """The setting of one test: so many examples in CI."""
    asked = int(os.environ.get("GLINER_BENCH_PROPERTIES", "0"))
    common = {"deadline": None, "suppress_health_check": _SLOW, "database": None}
    return settings(max_examples=asked or examples, derandomize=not asked, **common)
