"""Do the compared sides compute the same? Asked before a case is timed; a difference makes its figures void.

Tolerances: logits 1e-5 and 1.3e-6 of the largest, torch.testing's bounds for fp32; the error of a dot product follows
the length of its vectors, not its own value (with 100 types and logits up to 10 both sides were 3e-5 away from fp64 and
1.2e-5 from each other). Loss 1e-5 of its value, gradient norm 1e-4 of its value (a sum over 29 million squares in
another order). Ids and entities exactly.
"""

from typing import Any

import torch

from benchmarks.efficiency.ours import Ours
from benchmarks.efficiency.package import Package
from benchmarks.efficiency.replay import Replay
from benchmarks.efficiency.texts import Load
from gliner_core.decode import Overlap
from gliner_core.spans import valid_cells

LOGITS, LOGITS_RELATIVE, LOSS, GRADIENT = 1e-5, 1.3e-6, 1e-5, 1e-4


def training_faults(ours: Ours, package: Package, load: Load) -> list[str]:
    """What differs between the sides on one training batch, as phrases; empty = nothing."""
    asked = ours.asked(load)
    faults = logit_faults(ours, package, load)
    mine, theirs = ours.collate(load)(), package.collate(load, asked)()
    if not torch.equal(mine.encoded.input_ids, theirs["input_ids"]):
        faults.append("the token ids differ")
    loss, gradient = ours.gradients(load)
    other_loss, other_gradient = package.gradients(load, asked)
    faults += _relative("loss", loss, other_loss, LOSS)
    return faults + _relative("norm of the gradients", gradient, other_gradient, GRADIENT)


def logit_faults(ours: Ours, package: Package, load: Load) -> list[str]:
    """Differences of the scores of valid cells."""
    mine, theirs = ours.scores(load), package.scores(load)
    if mine.shape != theirs.shape:
        return [f"the scores have shape {list(mine.shape)} here and {list(theirs.shape)} there"]
    encoded = ours.encoded(load)
    valid = valid_cells(encoded.num_words, encoded.num_types, *mine.shape[1:])
    off = (mine - theirs)[valid].abs()
    allowed = LOGITS + LOGITS_RELATIVE * theirs[valid].abs().max()
    return [] if bool((off <= allowed).all()) else [f"logits differ by up to {off.max():.1e}"]  # NaN is a difference


def inference_faults(ours: Ours, package: Package, load: Load, batch: int, threshold: float) -> list[str]:
    """Differences of scores and of the entities found in strings."""
    faults = logit_faults(ours, package, load)
    found: Any = ours.inference(load, batch, threshold)()
    mine = [[(item.char_start, item.char_end, item.label) for item in row] for row in found]
    reference: Any = package.inference(load, batch, threshold)()
    theirs = [[(item["start"], item["end"], item["label"]) for item in row] for row in reference]
    return faults + _entities(mine, theirs)


def decoding_faults(ours: Ours, package: Package, load: Load, threshold: float, overlap: Overlap) -> list[str]:
    """Differences of the entities that the two decoders find in the same scores."""
    replay = Replay(ours, load)
    mine = replay.decoding(threshold, overlap)()
    theirs = package.decoding(load, threshold, overlap, replay.scores)()
    return _entities(mine, theirs)


def _entities(mine: list[list[Any]], theirs: list[list[Any]]) -> list[str]:
    if not any(mine):
        return ["no entity is found at the threshold"]
    unequal = sum(sorted(row) != sorted(other) for row, other in zip(mine, theirs, strict=True))
    return [f"the entities of {unequal} of {len(mine)} texts differ"] if unequal else []


def _relative(what: str, mine: float, theirs: float, tolerance: float) -> list[str]:
    close = abs(mine - theirs) <= tolerance * abs(theirs)  # false for NaN
    return [] if close else [f"the {what} is {mine:.7g} here and {theirs:.7g} there"]
