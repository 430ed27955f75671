"""Our side: the trainer's own step, `GLiNER.predict`, and each of their parts alone."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import torch

from benchmarks.efficiency.texts import Load
from benchmarks.efficiency.timing import Job
from gliner_core.collate import make_batch
from gliner_core.parts import cheap_parts
from gliner_core.pretrained import GLiNER
from gliner_core.prompt import EncodedBatch
from gliner_core.sampling import prompt_types
from gliner_core.seeding import generator
from gliner_core.spec import TrainSpec
from gliner_core.trainer import Trainer

Found = list[list[tuple[int, int, str]]]  # entities of each text: character range, label


def lowered(device: torch.device, dtype: str) -> AbstractContextManager[object]:
    """Autocast to bf16 where it is asked for."""
    return torch.autocast(device.type, torch.bfloat16) if dtype == "bf16" else nullcontext()


@contextmanager
def forward_of(network: torch.nn.Module, answer: Callable[..., torch.Tensor] | None = None) -> Iterator[None]:
    """Within the block the network computes `answer`; without one, its class's own forward in full precision.

    accelerate puts mixed precision into an attribute `forward` of the instance, which is set aside and put back.
    """
    aside = network.__dict__.pop("forward", None)
    if answer is not None:
        network.forward = answer
    try:
        yield
    finally:
        network.__dict__.pop("forward", None)
        if aside is not None:
            network.forward = aside


class Ours:
    """`gliner_core` on a checkpoint folder."""

    def __init__(self, spec: TrainSpec, folder: Path, load: Load, device: torch.device, dtype: str) -> None:
        self.trainer = Trainer(spec, load.examples, str(device))
        self.network = self.trainer.network
        self.network.load_state_dict(GLiNER.from_pretrained(folder, device=str(device)).network.state_dict())
        self.device, self.dtype = device, dtype

    def asked(self, load: Load) -> list[tuple[str, ...]]:
        """The types of each example in the order in which the next step will ask for them."""
        return types_asked(load, self.trainer.spec, self.trainer.step)

    def collate(self, load: Load) -> Job:
        """Examples to the tensors of a training step."""
        spec, step = self.trainer.spec, self.trainer.step
        return lambda: make_batch(load.examples, spec, self.network.prompts, step)

    def training(self, load: Load) -> Job:
        """Examples to updated weights."""
        trainer, examples = self.trainer, load.examples
        trainer.model.train()
        return lambda: trainer.train_step(
            examples, make_batch(examples, trainer.spec, self.network.prompts, trainer.step)
        )

    def gradients(self, load: Load) -> tuple[float, float]:
        """Loss and norm of all gradients with dropout off; leaves no gradient behind."""
        batch = make_batch(load.examples, self.trainer.spec, self.network.prompts, self.trainer.step)
        assert batch is not None  # every example brings its types
        self.trainer.model.eval()
        total = 0.0
        for part in cheap_parts(batch, self.device):  # as the trainer's own step passes them
            with forward_of(self.network):
                loss = self.trainer.loss_of(part)
            loss.backward()
            total += loss.item()
        return total, clear_gradients(self.network)

    def scores(self, load: Load) -> torch.Tensor:
        """Logits [B, L, K, C]; cells past the end of a text are meaningless."""
        self.network.eval()
        with torch.inference_mode(), forward_of(self.network):
            return self.network(self.encoded(load).to(self.device)).float().cpu()

    def encoded(self, load: Load) -> EncodedBatch:
        """One batch of all texts with all types."""
        texts = [example.words for example in load.examples]
        return self.network.prompts.encode(texts, [load.types] * len(texts))

    def inference(self, load: Load, batch: int, threshold: float) -> Job:
        """Strings to entities."""
        model, texts = GLiNER(self.network.eval()), load.texts

        def job() -> object:
            with lowered(self.device, self.dtype):
                return model.predict(texts, load.types, threshold=threshold, batch_size=batch)

        return job


def types_asked(load: Load, spec: TrainSpec, step: int) -> list[tuple[str, ...]]:
    """The types of each example in the order in which our trainer asks for them at a step."""
    return prompt_types(load.examples, spec.sampling, generator(spec.seed, "sampling", step))


def clear_gradients(network: torch.nn.Module) -> float:
    """Norm of all gradients together; takes them away."""
    norms = [weight.grad.norm() for weight in network.parameters() if weight.grad is not None]
    network.zero_grad(set_to_none=True)
    return float(torch.stack(norms).norm())
