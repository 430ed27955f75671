"""Known defects of the published package (gliner 0.2.29): shown in it where they can be shown, and absent here.

Needs the extra `peers`. The models are small and random, so nothing is downloaded.
"""

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import LABELS, MAX_TOKENS, SHAPE, TEXTS, make_backbone, tiny_network, tiny_spec
from transformers import BertConfig

from gliner_core import GLiNER
from gliner_core.collate import make_batch
from gliner_core.examples import Example, Span, write_jsonl
from gliner_core.files import read_json
from gliner_core.predict import best_spans, candidate_spans
from gliner_core.prompt import PromptEncoder
from gliner_core.train import train

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

POSITIONS = 512  # of BERT and MiniLM


def _theirs(ours: GLiNER, folder: Path) -> Any:
    import gliner

    ours.save_pretrained(folder)
    return gliner.GLiNER.from_pretrained(str(folder), local_files_only=True, map_location="cpu")


@pytest.fixture(scope="module")
def pair(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[GLiNER, Any]:
    """The same BERT model in both."""
    ours = GLiNER(tiny_network(backbone))
    return ours, _theirs(ours, tmp_path_factory.mktemp("checkpoint"))


class CountedTokenizer:
    """Passes everything on and counts the calls and the words of each."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.calls, self.words = tokenizer, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tokenizer, name)

    def __len__(self) -> int:
        return len(self.tokenizer)

    def __call__(self, rows: list[list[str]], **options: Any) -> Any:
        self.calls, self.words = self.calls + 1, self.words + sum(map(len, rows))
        return self.tokenizer(rows, **options)


def test_words_beyond_the_encoders_positions_are_counted(tmp_path: Path) -> None:
    """384 words, the limit that both know, and 39 types are more than 512 sub-tokens."""
    folder = make_backbone(
        tmp_path / "bert", lambda size: BertConfig(vocab_size=size, max_position_embeddings=POSITIONS, **SHAPE)
    )
    ours = GLiNER(tiny_network(folder))
    theirs = _theirs(ours, tmp_path / "checkpoint")
    theirs.data_processor.transformer_tokenizer.model_max_length = POSITIONS  # as the backbones' tokenizers say
    words, labels = ["anna"] * 384, [f"w{number} city person" for number in range(39)]
    lost = 384 + 39 * 4 + 3 - POSITIONS  # <<ENT>> and three sub-tokens a type; [CLS], <<SEP>>, [SEP]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = theirs.collate_batch([{"tokenized_text": words, "ner": None}], labels)
    assert int(batch["text_lengths"]) == 384 and int(batch["words_mask"].max()) == 384 - lost  # cut, and nothing said
    encoded = ours.network.prompts.encode([words], [labels])
    assert (int(encoded.num_words[0]), encoded.lost_words) == (384 - lost, (lost,))
    assert torch.equal(encoded.input_ids[:, :-1], batch["input_ids"][:, :-1])
    found, windowed = (
        candidate_spans(ours.network, [words], labels, floor=0.0, window_overlap=n)[0] for n in (None, 8)
    )
    assert (found.lost_words, found.end.max()) == (lost, 383 - lost)
    assert (windowed.lost_words, windowed.end.max()) == (0, 383)
    many = [f"{label} river team" for label in labels] * 3
    with pytest.raises(ValueError, match="117 types fill the encoder's window of 512 sub-tokens"):
        ours.network.prompts.encode([words], [many])


def test_gold_wider_than_the_grid_is_counted(pair: tuple[GLiNER, Any], backbone: Path, tmp_path: Path) -> None:
    ours, theirs = pair
    words = ["anna"] * 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collator = theirs.data_collator_class(theirs.config, data_processor=theirs.data_processor, prepare_labels=True)
        batch = collator([{"tokenized_text": words, "ner": [[0, 5, "team"], [6, 6, "team"]]}])
    assert batch["labels"].sum() == 1  # K is 4: the span of 6 words is gone
    example = Example(id="x", words=tuple(words), spans=(Span(0, 5, "team"), Span(6, 6, "team")))
    spec = tiny_spec(backbone, sampling_negative_ratio=0, optim_steps=1)
    counts = make_batch([example], spec, ours.network.prompts, 0).counts
    assert (counts.gold, counts.gold_too_wide) == (2, 1)
    write_jsonl(tmp_path / "data.jsonl", [example])
    train(spec, tmp_path / "data.jsonl", tmp_path / "out", device="cpu")
    assert read_json(tmp_path / "out" / "training.json")["counts"]["gold_too_wide"] == 1


def test_a_batch_of_short_texts_works_on_bert(pair: tuple[GLiNER, Any]) -> None:
    """The package packs short texts into one row and fails; here nothing is packed, batches of like length do it."""
    from gliner import InferencePackingConfig

    ours, theirs = pair
    texts = ["anna visited paris .", "boris left", "the river in oslo"]
    packing = InferencePackingConfig(max_length=64)
    with pytest.raises(ValueError, match="exactly one of input_ids or inputs_embeds"):
        theirs.inference(texts, LABELS, packing_config=packing)
    mine = ours.predict(texts, LABELS, threshold=0.3)
    reference = theirs.inference(texts, LABELS, threshold=0.3)
    assert [[(e.text, e.label) for e in row] for row in mine] == [
        [(e["text"], e["label"]) for e in row] for row in reference
    ]
    assert any(mine)


def test_evaluation_tokenises_each_text_once(
    pair: tuple[GLiNER, Any], backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, theirs = pair
    rows = [{"tokenized_text": words, "ner": []} for words in TEXTS[:4]]
    counted = CountedTokenizer(theirs.data_processor.transformer_tokenizer)
    monkeypatch.setattr(theirs.data_processor, "transformer_tokenizer", counted)
    theirs.evaluate(rows, batch_size=2, entity_types=LABELS)
    assert counted.calls == 4  # two batches, each once to predict and once to compare
    network = tiny_network(backbone)
    counted = CountedTokenizer(network.tokenizer)
    network.prompts = PromptEncoder(tokenizer=counted, max_words=384, max_tokens=MAX_TOKENS)
    counted.words = 0
    candidate_spans(network, TEXTS[:4], LABELS, floor=0.5, batch_size=2)
    distinct = {word for words in TEXTS[:4] for word in words} | {*LABELS, "<<ENT>>", "<<SEP>>"}
    assert counted.words == len(distinct)
    before = counted.calls
    candidate_spans(network, TEXTS[:4], LABELS, floor=0.5, batch_size=2)
    assert counted.calls == before  # known texts never come back to the tokenizer


@pytest.mark.parametrize("batch_size", [1, 2, 4, 12])
def test_labels_of_each_text_stay_with_it_across_batches(pair: tuple[GLiNER, Any], batch_size: int) -> None:
    """Until 0.2.28 the package swapped them from the second batch on (its issue 383); 0.2.29 is right again."""
    ours, theirs = pair
    texts = [words for words in TEXTS if "\x01" not in words] * 2
    labels = [[LABELS[:1], LABELS[1:], LABELS[::-1]][number % 3] for number in range(len(texts))]
    found = candidate_spans(ours.network, texts, labels, floor=0.3, batch_size=batch_size)
    mine = []
    for own, candidates in zip(labels, found, strict=True):
        best = best_spans(candidates, 0.3, "flat")
        mine.append([(int(s), int(e), own[c]) for s, e, c in zip(best.start, best.end, best.label, strict=True)])
    reference = []
    for first in range(0, len(texts), batch_size):
        chunk = slice(first, first + batch_size)
        batch = theirs.collate_batch([{"tokenized_text": words, "ner": None} for words in texts[chunk]], labels[chunk])
        reference += theirs.decode_batch(theirs.run_batch(batch), batch, threshold=0.3, flat_ner=True)
    assert mine == [[(span.start, span.end, span.entity_type) for span in row] for row in reference]
    assert {label for row in mine for *_, label in row} == set(LABELS)
