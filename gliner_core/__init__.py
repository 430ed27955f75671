"""GLiNER (arXiv 2311.08526): the model, its training objective and its decoding. Knows nothing of the benchmark."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gliner_core.pretrained import GLiNER

__all__ = ["GLiNER"]


def __getattr__(name: str) -> Any:
    # Lazy, so that scoring and reporting can use `gliner_core.examples` without paying for `import torch`.
    if name == "GLiNER":
        from gliner_core.pretrained import GLiNER

        return GLiNER
    raise AttributeError(name)
