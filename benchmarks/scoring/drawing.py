"""Sums over resampled or exchanged sentences: the random draws behind intervals and tests.

Sentences with equal counts are exchangeable, so a resample of S sentences is one multinomial draw over the distinct
rows: the same distribution as drawing indices, at a cost that does not grow with S. Where most rows are distinct, as
with several seeds side by side, drawing indices is cheaper and is what happens.
"""

from collections.abc import Callable

import numpy as np

_CELLS_AT_ONCE = 2_000_000  # draws x rows held in memory: 16 MB of floats
_MULTINOMIAL_COST = 5  # one category of a multinomial draw costs as much as so many drawn indices (measured)


def resampled_sums(rows: np.ndarray, generator: np.random.Generator, resamples: int) -> np.ndarray:
    """Column sums [resamples, columns] of bootstrap samples of the rows [S, columns]."""
    num = len(rows)
    distinct, repeats = np.unique(rows, axis=0, return_counts=True)
    if len(distinct) * _MULTINOMIAL_COST < num:
        share = repeats / num
        return _weighted_sums(lambda size: generator.multinomial(num, share, size), distinct, resamples, num)
    return _weighted_sums(lambda size: drawn_indices(generator, size, num), rows, resamples, num)


def shared_sums(columns: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    """Sums [resamples, ...] of bootstrap samples of columns [S, ...]; equal seeds and S mean the same samples.

    So whatever columns are compared, of variants that are drawn apart or of slices of the same sentences, stay paired.
    """
    generator, num = np.random.default_rng(seed), len(columns)
    sums = _weighted_sums(lambda size: drawn_indices(generator, size, num), columns.reshape(num, -1), resamples, num)
    return sums.reshape(resamples, *columns.shape[1:])


def exchanged_sums(rows: np.ndarray, generator: np.random.Generator, exchanges: int) -> np.ndarray:
    """Column sums [exchanges, columns] of rows [S, columns] that are each taken with probability one half."""
    return _weighted_sums(lambda size: _fair_bits(generator, size, len(rows)), rows, exchanges, len(rows))


def exact_type(rows: np.ndarray, most: int) -> type[np.floating]:
    """Floats in which sums of whole rows with weights of at most `most` together are exact.

    Single precision where it is enough, because a product takes half the time in it.
    """
    if rows.dtype.kind not in "iub":
        return np.float64
    largest = max(int(rows.max(initial=0)), -int(rows.min(initial=0)))
    return np.float32 if most * largest < 2**24 else np.float64


def drawn_indices(generator: np.random.Generator, draws: int, num: int) -> np.ndarray:
    """How often each of `num` rows is drawn, [draws, num]."""
    picked = generator.integers(0, num, (draws, num)) + num * np.arange(draws)[:, None]
    return np.bincount(picked.ravel(), minlength=draws * num).reshape(draws, num)


def _fair_bits(generator: np.random.Generator, draws: int, num: int) -> np.ndarray:
    """Zeros and ones [draws, num], eight from each random byte."""
    drawn = generator.integers(0, 256, (draws, (num + 7) // 8), dtype=np.uint8)
    return np.unpackbits(drawn, axis=1, count=num)


def _weighted_sums(draw: Callable[[int], np.ndarray], rows: np.ndarray, draws: int, most: int) -> np.ndarray:
    """Weights [draws, S] of at most `most` together, times rows [S, columns], in parts; exact."""
    kind = exact_type(rows, most)
    size, values = max(1, _CELLS_AT_ONCE // max(1, len(rows))), rows.astype(kind)
    parts = [draw(min(size, draws - done)).astype(kind) @ values for done in range(0, draws, size)]
    return np.concatenate(parts).astype(np.float64)
