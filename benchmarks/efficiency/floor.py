"""The floor: the encoder alone on our ids, with its usual dropout.

`Floor` is our side's encoder in the batches that our side makes; `PlainFloor` the encoder as transformers makes it, on
the whole padded batch.
"""

import torch

from benchmarks.efficiency.ours import Ours, lowered
from benchmarks.efficiency.texts import Load
from benchmarks.efficiency.timing import Job
from gliner_core.batching import call_cost, cheapest_batches
from gliner_core.collate import TrainBatch, make_batch
from gliner_core.encoder import load_backbone
from gliner_core.parts import cheap_parts
from gliner_core.prompt import EncodedBatch


class Floor:
    """The encoder of our side; ids are made and moved before the clock starts."""

    def __init__(self, ours: Ours) -> None:
        self.ours, self.encoder = ours, ours.network.encoder

    def training(self, load: Load) -> Job:
        """Forward and backward on a training batch, without optimiser."""
        trainer = self.ours.trainer
        batch = make_batch(load.examples, trainer.spec, self.ours.network.prompts, trainer.step)
        assert batch is not None  # every example brings its types
        encoded = [part.encoded.to(self.ours.device) for part in self._parts(batch)]
        self.encoder.train()
        return lambda: self._pass(encoded)

    def _parts(self, batch: TrainBatch) -> list[TrainBatch]:
        return cheap_parts(batch, self.ours.device)

    def _pass(self, parts: list[EncodedBatch]) -> None:
        for encoded in parts:
            with lowered(self.ours.device, self.ours.dtype):
                hidden = self._hidden(encoded)
            hidden.float().sum().backward()
        self.encoder.zero_grad(set_to_none=True)

    def _hidden(self, encoded: EncodedBatch) -> torch.Tensor:
        ids, mask = encoded.input_ids, encoded.attention_mask
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state

    def inference(self, load: Load, batch: int) -> Job:
        """Forward on all batches of a call, as our prediction cuts them."""
        texts = [example.words for example in load.examples]
        lengths = self.ours.network.prompts.lengths(texts, [load.types] * len(texts))
        groups = cheapest_batches(lengths, batch, call_cost(self.ours.device))
        loads = [Load(examples=tuple(load.examples[place] for place in group), types=load.types) for group in groups]
        encoded = [self.ours.encoded(part).to(self.ours.device) for part in loads]
        self.encoder.eval()

        def job() -> None:
            with torch.inference_mode(), lowered(self.ours.device, self.ours.dtype):
                for item in encoded:
                    self._hidden(item)

        return job


class PlainFloor(Floor):
    """Training only."""

    def __init__(self, ours: Ours) -> None:
        super().__init__(ours)
        encoder, _ = load_backbone(ours.trainer.spec.model.backbone)
        self.encoder = encoder.to(ours.device)

    def _parts(self, batch: TrainBatch) -> list[TrainBatch]:
        return [batch]
