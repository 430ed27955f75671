"""The largest part of a sentence's gold that an answer can hold under each way of decoding, and how gold overlaps.

Scores may be anything, so the question is combinatorial: how many gold spans fit together? Exact for all four
decodings. (`unreachable` in benchmarks/scoring/breakdown.py asks the greedy decoder instead: exact for `flat`, a lower
bound of the ceiling where containment is allowed and spans cross.)
"""

from collections import Counter
from collections.abc import Collection, Mapping

from gliner_core.decode import Overlap
from gliner_core.examples import Span

Place = tuple[int, int]


def ceiling(spans: Collection[Span], overlap: Overlap) -> int:
    """How many of the spans of one sentence can be answered together."""
    types = Counter((span.start, span.end) for span in set(spans))
    weights = types if overlap.endswith("multi_label") else dict.fromkeys(types, 1)
    return _disjoint(weights) if overlap.startswith("flat") else _laminar(weights)


def crosses(one: Place, other: Place) -> bool:
    """Whether two spans share words and neither lies in the other."""
    (left, first), (right, second) = sorted((one, other))
    return left < right <= first < second


def lies_in(one: Place, other: Place) -> bool:
    """Whether `one` is a proper part of `other`."""
    return one != other and other[0] <= one[0] and one[1] <= other[1]


def depth(place: Place, places: Collection[Place]) -> int:
    """How many of the distinct places hold this one as a proper part."""
    return sum(lies_in(place, other) for other in places)


def _disjoint(weights: Mapping[Place, int]) -> int:
    """Largest total weight without a shared word: weighted interval scheduling."""
    best = [0] * (max((end for _, end in weights), default=-1) + 2)  # best[k]: among spans that end before word k
    by_end: dict[int, list[tuple[int, int]]] = {}
    for (start, end), weight in weights.items():
        by_end.setdefault(end, []).append((start, weight))
    for end in range(len(best) - 1):
        best[end + 1] = max([best[end], *(best[start] + weight for start, weight in by_end.get(end, ()))])
    return best[-1]


def _laminar(weights: Mapping[Place, int]) -> int:
    """Largest total weight without crossing.

    Inside a stretch, the largest chosen spans but the stretch itself are disjoint, so some cut between two points
    parts them: best(stretch) = weight of the stretch + the best sum of the two sides of a cut.
    """
    if not any(crosses(one, other) for one in weights for other in weights):
        return sum(weights.values())
    points = sorted({point for place in weights for point in place})
    number = {point: place for place, point in enumerate(points)}
    weighed = {(number[start], number[end]): weight for (start, end), weight in weights.items()}
    best: dict[Place, int] = {}
    for width in range(len(points)):
        for left in range(len(points) - width):
            right = left + width
            cuts = [best[left, cut] + best[cut + 1, right] for cut in range(left, right)]
            best[left, right] = weighed.get((left, right), 0) + max(cuts, default=0)
    return best[0, len(points) - 1]
