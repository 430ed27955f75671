"""Names of the slices of test spans: for rows that count them and for pages that show them."""

from dataclasses import dataclass

from benchmarks.analyses.training_shares import CASINGS, WIDTH_CLASSES

NGRAMS = (8, 10)
LEAKS = ("sentence", *(f"{size}-gram" for size in NGRAMS))  # dimensions whose shared part is leakage
NO_WORDS = "inside a word"  # gold that no word span can equal has no surface
NEARNESS = ("farthest quarter", "third quarter", "second quarter", "nearest quarter")
FREQUENCIES = (("0", 0), ("1-9", 9), ("10-99", 99), ("100-999", 999))
MOST_FREQUENT = "1000+"
SEEN, UNSEEN, SHARED, APART = "seen", "unseen", "shared", "not shared"
SURFACES = ("unseen", "other type", "same type")
TYPE_UNSEEN = "type unseen"
REST = frozenset({NO_WORDS, TYPE_UNSEEN})  # make a dimension whole and are compared with nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A way to part the items; the first slice is the one that others are compared with."""

    title: str
    slices: tuple[str, ...]


DIMENSIONS: dict[str, Dimension] = {
    "surface": Dimension(title="Surface in training", slices=(*SURFACES, NO_WORDS)),
    # A surface seen with its type implies a type that was seen, so the surface is also told among seen types alone.
    "surface of seen type": Dimension(title="Surface, seen types only", slices=(*SURFACES, TYPE_UNSEEN, NO_WORDS)),
    "type": Dimension(title="Type in training", slices=(UNSEEN, SEEN)),
    "frequency": Dimension(
        title="Training mentions of the type", slices=(*(name for name, _ in FREQUENCIES), MOST_FREQUENT)
    ),
    "casing": Dimension(title="Casing of the mention", slices=(*CASINGS, NO_WORDS)),
    "width": Dimension(title="Width in words", slices=(*WIDTH_CLASSES, NO_WORDS)),
    "context": Dimension(title="Context, nearness to training", slices=NEARNESS),
    "sentence": Dimension(title="Whole sentence in training", slices=(APART, SHARED)),
    **{f"{size}-gram": Dimension(title=f"{size} words running in training", slices=(APART, SHARED)) for size in NGRAMS},
}
COLUMNS = [(dimension, name) for dimension, entry in DIMENSIONS.items() for name in entry.slices]
