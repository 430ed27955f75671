"""The network that a training begins with: pretrained backbone and fresh heads, or the weights of another training."""

from pathlib import Path

from gliner_core.errors import InputError
from gliner_core.files import file_digest
from gliner_core.model import SpanScoringModel
from gliner_core.opening import open_network
from gliner_core.spec import SHARED_WITH_START, ModelSpec, TrainSpec

WEIGHTS = "model.safetensors"


def start_digest(spec: TrainSpec, start: Path | None) -> str:
    """Digest of the weights in the checkpoint folder `start`; empty for a training that has none.

    Raises `InputError` where spec and folder do not go together.
    """
    if spec.start is None and start is not None:
        raise InputError(f"{start} was given to start from but `start` of the spec is null; name the run there")
    if start is None:
        if spec.start is not None:
            raise InputError(f"the spec starts from run {spec.start!r}; give the folder of its model (--start)")
        return ""
    if not (start / WEIGHTS).is_file():
        raise InputError(f"{start}: holds no {WEIGHTS} to start from; give the model folder of a finished training")
    return file_digest(start / WEIGHTS)


def start_network(spec: ModelSpec, start: Path | None) -> SpanScoringModel:
    """The network of `spec`, with the weights of the checkpoint folder `start` if there is one.

    Draws from torch's global generator. Raises `InputError` naming the folder and the key where the two architectures
    differ.
    """
    network = SpanScoringModel.from_spec(spec)
    if start is None:
        return network
    parent = open_network(start)
    _check_same(spec, parent, start)
    if parent.tokenizer.get_vocab() != network.tokenizer.get_vocab():
        raise InputError(f"{start}: its vocabulary is not that of backbone {spec.backbone.name!r}; start from its own")
    ours, theirs = ({key: value.shape for key, value in one.state_dict().items()} for one in (network, parent))
    if foreign := sorted(key for key in ours | theirs if ours.get(key) != theirs.get(key)):
        raise InputError(
            f"{start}: its weights are not those of backbone {spec.backbone.name!r} (first: `{foreign[0]}`); start "
            "from a training on the same backbone"
        )
    network.load_state_dict(parent.state_dict())
    return network


def _check_same(spec: ModelSpec, parent: SpanScoringModel, start: Path) -> None:
    for key in SHARED_WITH_START:
        name = key.removeprefix("model.")
        ours, theirs = getattr(spec, name), getattr(parent.spec, name)
        if name == "score_bias":  # only its presence: its value is where the other training began
            ours, theirs = ours is not None, theirs is not None
        if ours != theirs:
            raise InputError(
                f"{start}: `{key}` is {getattr(parent.spec, name)!r} there and {getattr(spec, name)!r} in the spec; "
                "give both trainings the same value"
            )
