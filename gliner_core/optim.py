"""The optimiser of a training and the precision it computes in."""

import torch

from gliner_core.model import SpanScoringModel
from gliner_core.spec import OptimSpec


def build_optimizer(model: SpanScoringModel, optim: OptimSpec) -> torch.optim.AdamW:
    """AdamW with one learning rate for the encoder and one for everything else (paper section 3.2)."""
    if optim.freeze_embeddings:
        model.encoder.get_input_embeddings().weight.requires_grad_(False)
    encoder = [weight for weight in model.encoder.parameters() if weight.requires_grad]
    known = {id(weight) for weight in model.encoder.parameters()}
    others = [weight for weight in model.parameters() if id(weight) not in known]
    groups = [{"params": encoder, "lr": optim.lr_encoder}, {"params": others, "lr": optim.lr_others}]
    return torch.optim.AdamW(groups, weight_decay=optim.weight_decay, fused=True)


def precision_for(optim: OptimSpec, device: torch.device) -> str:
    """bf16 only on a GPU that has it: on a CPU without bf16 units it is 8-10 times slower than fp32."""
    wants = optim.precision in ("bf16", "auto") and device.type == "cuda"
    return "bf16" if wants and torch.cuda.is_bf16_supported(including_emulation=False) else "no"
