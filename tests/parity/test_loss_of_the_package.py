"""The same batch and labels give the published package's loss and its gradients, dropout off."""

from importlib.util import find_spec
from typing import Any

import pytest
import torch
from official import SHAPES, TEXTS, labels_of, make_official, write_backbones

from gliner_core import GLiNER
from gliner_core.loss import OBJECTIVES
from gliner_core.prompt import EncodedBatch
from gliner_core.saving import official_name
from gliner_core.spans import valid_cells
from gliner_core.spec import ObjectiveSpec

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

# our option -> the package's; its trainer passes masking "global" with all negatives kept
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "default": ({"name": "focal", "probability_floor": 1e-6}, {}),
    "its trainer's": ({"name": "focal", "probability_floor": 1e-6}, {"masking": "global", "negatives": 1.0}),
    "plain, exact logarithms": ({"name": "bce"}, {}),
    "alpha": ({"name": "focal", "focal_alpha": 0.75, "probability_floor": 1e-6}, {"alpha": 0.75}),
    "gamma": ({"name": "focal", "focal_gamma": 2.0, "probability_floor": 1e-6}, {"gamma": 2.0}),
    "both": (
        {"name": "focal", "focal_alpha": 0.25, "focal_gamma": 2.0, "probability_floor": 1e-6},
        {"alpha": 0.25, "gamma": 2.0},
    ),
}
# Texts with spans of several types, one span with two types, one wider than every K, one past the limit, and none.
WORDS = [TEXTS[3], TEXTS[4], TEXTS[2], TEXTS[1], TEXTS[5]]
SPANS = [
    [(0, 0, 0), (2, 2, 1), (2, 2, 2), (8, 8, 1), (0, 13, 0)],
    [(1, 2, 3), (17, 19, 0), (18, 21, 1), (25, 26, 2)],
    [(0, 0, 0), (2, 3, 1)],
    [],
    [(1, 1, 0)],
]
TYPES = [[0, 1, 2, 3], [3, 0, 1], [1, 0], [4, 2], [0]]  # indices into the shape's labels, a prompt for each text


@pytest.fixture(scope="module", params=SHAPES)
def sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, GLiNER, list[str]]:
    """The package's model, ours with the same weights, and the names of five types."""
    theirs = make_official(SHAPES[request.param], write_backbones(tmp_path_factory.mktemp("backbones")))
    folder = tmp_path_factory.mktemp("checkpoint")
    theirs.save_pretrained(str(folder), safe_serialization=True)
    return theirs, GLiNER.from_pretrained(folder, device="cpu"), labels_of(SHAPES["deberta, 60 types"])[:5]


def _their_batch(model: Any, labels: list[str]) -> dict[str, Any]:
    rows = [
        {"tokenized_text": words, "ner": [(start, end, labels[label]) for start, end, label in spans]}
        for words, spans in zip(WORDS, SPANS, strict=True)
    ]
    collator = model.data_collator_class(model.config, data_processor=model.data_processor, prepare_labels=True)
    return collator(rows, entity_types=[[labels[index] for index in types] for types in TYPES])


def _our_batch(model: GLiNER, labels: list[str]) -> tuple[EncodedBatch, torch.Tensor]:
    """The positive cells are written down from the lists above, not by our collation."""
    encoded = model.network.prompts.encode(WORDS, [[labels[index] for index in types] for types in TYPES])
    cells = [
        (row, start, end - start, types.index(label))
        for row, (spans, types) in enumerate(zip(SPANS, TYPES, strict=True))
        for start, end, label in spans
        if label in types and end - start < model.network.spec.max_width and end < int(encoded.num_words[row])
    ]
    return encoded, torch.tensor(cells)


def _our_loss(model: GLiNER, labels: list[str], options: dict[str, Any]) -> torch.Tensor:
    spec = ObjectiveSpec(positive_weight=1.0, **options)
    encoded, positives = _our_batch(model, labels)
    scores = model.network(encoded)
    valid = valid_cells(encoded.num_words, encoded.num_types, *scores.shape[1:])
    return OBJECTIVES[spec.name](scores, positives, valid, spec)


@pytest.mark.parametrize("option", OPTIONS)
def test_loss_and_gradients_are_equal(sides: tuple[Any, GLiNER, list[str]], option: str) -> None:
    theirs, ours, labels = sides
    own, official = OPTIONS[option]
    reference = theirs.model(**_their_batch(theirs, labels), **official).loss
    loss = _our_loss(ours, labels, own)
    torch.testing.assert_close(loss, reference, rtol=1e-6, atol=0)
    theirs.model.zero_grad()
    ours.network.zero_grad()
    reference.backward()
    loss.backward()
    expected = {name: weight.grad for name, weight in theirs.model.named_parameters()}
    found = {official_name(name): weight.grad for name, weight in ours.network.named_parameters()}
    assert expected.keys() == found.keys()
    # Some gradients are zero but for rounding (a key's bias shifts all attention scores alike), hence the second term.
    largest = max(float(gradient.abs().max()) for gradient in expected.values() if gradient is not None)
    for name, gradient in expected.items():
        if gradient is None:  # an encoder's pooler, which no score depends on
            assert found[name] is None, name
        else:
            bound = 1e-4 * float(gradient.abs().max()) + 1e-6 * largest
            torch.testing.assert_close(found[name], gradient, rtol=0, atol=bound, msg=name)


@pytest.mark.parametrize("option", [name for name in OPTIONS if "exact" not in name])
def test_saturated_scores_cost_the_same(sides: tuple[Any, GLiNER, list[str]], option: str) -> None:
    """Scores of up to 90, where the package's rounded probabilities and their floor decide; equal on both sides."""
    theirs, ours, labels = sides
    own, official = OPTIONS[option]
    batch = _their_batch(theirs, labels)
    encoded, positives = _our_batch(ours, labels)
    output = theirs.model(**batch)
    scores = (15 * output.logits.detach()).requires_grad_()
    mask = output.prompts_embedding_mask
    reference = theirs.model.loss(scores, batch["labels"], mask, batch["span_mask"], **official)
    spec = ObjectiveSpec(positive_weight=1.0, **own)
    valid = valid_cells(encoded.num_words, encoded.num_types, *scores.shape[1:])
    loss = OBJECTIVES[spec.name](scores, positives, valid, spec)
    torch.testing.assert_close(loss, reference, rtol=1e-6, atol=0)
    slopes = torch.autograd.grad(loss, scores)[0], torch.autograd.grad(reference, scores)[0]
    torch.testing.assert_close(*slopes, rtol=1e-5, atol=1e-6)
