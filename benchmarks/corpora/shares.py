"""How many examples each part of a mixture gives: by weight, whole numbers, exact total where the parts allow it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Examples drawn from one part; `repeated` of them are second or later copies."""

    drawn: int
    repeated: int


def share_out(total: int, sizes: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, Quota]:
    """Splits `total` over the parts in proportion to their weights.

    A part smaller than its share is repeated to fill it if its weight is above 1, since that asks for more of it than
    there is; otherwise it gives all it has, and the rest goes to the others. If nothing is left to give, the sum
    stays below `total`.
    """
    capped: dict[str, int] = {}
    while True:
        open_parts = [key for key in sizes if key not in capped]
        quotas = _proportional(total - sum(capped.values()), {key: weights[key] for key in open_parts})
        small = {key: sizes[key] for key in open_parts if quotas[key] > sizes[key] and weights[key] <= 1}
        if not small:
            drawn = capped | quotas
            return {key: Quota(drawn=drawn[key], repeated=max(0, drawn[key] - sizes[key])) for key in sizes}
        capped |= small


def _proportional(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Largest remainders; ties go to the part named first."""
    whole = sum(weights.values())
    exact = {key: total * weight / whole for key, weight in weights.items()}
    quotas = {key: int(value) for key, value in exact.items()}
    order = sorted(exact, key=lambda key: quotas[key] - exact[key])
    for key in order[: total - sum(quotas.values()) if order else 0]:
        quotas[key] += 1
    return quotas
