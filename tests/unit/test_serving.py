"""Models asked in turn, steps at several K, operations and energy: what is measured is what the name says."""

import ctypes
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_model import LABELS, TEXTS, tiny_network, tiny_spec, toy_examples

from benchmarks.efficiency import serving
from benchmarks.efficiency.energy import Meter, find_meter, nvml_meter, rapl_meter
from benchmarks.efficiency.flops import forward_flops
from benchmarks.efficiency.peaks import ask_fresh_process
from benchmarks.efficiency.point_memory import PROCESSES, REPEATS, peaks_in_fresh_processes
from benchmarks.efficiency.serving import Asked, Served, answering, latencies, rounds_within, sides_of, throughput
from benchmarks.efficiency.stepping import Stepper, with_width
from benchmarks.efficiency.timing import alternate
from gliner_core import GLiNER
from gliner_core.collate import make_batch
from gliner_core.errors import InputError
from gliner_core.saving import save_network
from gliner_core.trainer import Trainer

CPU = torch.device("cpu")


def by_formula(network: Any, texts: list[list[str]], max_width: int) -> int:
    """Operations from the shapes alone: a multiplication with its addition counts two."""
    batch = network.prompts.encode(texts, [LABELS] * len(texts))
    shape, spec = network.encoder.config, network.spec
    (rows, tokens), words, types = batch.input_ids.shape, batch.word_position.shape[1], len(LABELS)
    width, inner, size = shape.hidden_size, shape.intermediate_size, spec.hidden_size
    layer = 2 * rows * tokens * (4 * width * width + 2 * width * inner) + 4 * rows * tokens * tokens * width
    pooler = 2 * rows * width * width
    lstm = 2 * rows * words * 2 * 4 * (size // 2) * (size + size // 2)
    maps = 2 * (size * 4 * size + 4 * size * size)  # a map of two layers, of one vector
    starts_and_ends = 2 * rows * words * (maps + 2 * size * 4 * size)
    kinds = rows * types * (maps + 2 * size * 4 * size)  # the type map, and its product with the last layer
    spans = sum(max(0, int(num) - extra) for num in batch.num_words for extra in range(max_width))
    scores = 2 * spans * 4 * size * types
    return shape.num_hidden_layers * layer + pooler + lstm + starts_and_ends + kinds + scores


@pytest.mark.parametrize("max_width", [1, 3, 4])
def test_operations_are_those_of_the_shapes(backbone: Path, max_width: int) -> None:
    network = tiny_network(backbone)
    for texts in (TEXTS[:3], TEXTS[:1]):
        batch = network.prompts.encode(texts, [LABELS] * len(texts))
        found = forward_flops(network, batch, max_width)
        assert found.total == by_formula(network, texts, max_width)
        assert 0 < found.by_hand < found.total


def test_a_model_without_lstm_needs_no_hand(backbone: Path) -> None:
    network = tiny_network(backbone, model_rnn=False)
    assert forward_flops(network, network.prompts.encode(TEXTS[:1], [LABELS]), None).by_hand == 0


def zone(folder: Path, name: str, microjoules: int, limit: int = 1000_000) -> Path:
    place = folder / name
    place.mkdir()
    (place / "energy_uj").write_text(f"{microjoules}\n")
    (place / "max_energy_range_uj").write_text(f"{limit}\n")
    return place


def test_rapl_adds_packages_and_passes_its_limit(tmp_path: Path) -> None:
    one, two = zone(tmp_path, "intel-rapl:0", 900_000), zone(tmp_path, "intel-rapl:1", 0)
    zone(tmp_path, "intel-rapl:0:0", 0)  # the cores of package 0: counted there
    meter = rapl_meter(tmp_path)
    assert meter.joules is not None and meter.joules() == 0
    (one / "energy_uj").write_text("100000")  # 200,000 further, over the limit
    (two / "energy_uj").write_text("500000")
    assert meter.joules() == pytest.approx(0.7)
    (one / "energy_uj").write_text("150000")
    assert meter.joules() == pytest.approx(0.75)


def test_no_counter_says_why(tmp_path: Path) -> None:
    assert rapl_meter(tmp_path) == Meter(source=f"n/a: no RAPL counter below {tmp_path}")
    (tmp_path / "intel-rapl:0").mkdir()
    assert rapl_meter(tmp_path).joules is None and "cannot be read" in rapl_meter(tmp_path).source
    assert find_meter(CPU).source


class Nvml:
    """The three functions of NVML that are called, in the manner of its C library."""

    def __init__(self, counts: bool = True, opens: bool = True) -> None:
        self.counts, self.opens, self.millijoules = counts, opens, 5000

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid: bytes, handle: Any) -> int:
        assert uuid == b"GPU-1"
        return 0 if self.opens else 6

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any, value: Any) -> int:
        ctypes.cast(value, ctypes.POINTER(ctypes.c_ulonglong))[0] = self.millijoules
        return 0 if self.counts else 3


def test_nvml_counts_joules() -> None:
    library = Nvml()
    meter = nvml_meter(library, "GPU-1")
    assert meter.joules is not None
    before = meter.joules()
    library.millijoules += 2500
    assert meter.joules() - before == 2.5
    assert nvml_meter(Nvml(counts=False), "GPU-1").source == "n/a: NVML counts no energy of GPU-1"
    assert nvml_meter(Nvml(opens=False), "GPU-1").source == "n/a: NVML does not open GPU-1"


def test_a_reading_holds_the_energy_of_its_own_job() -> None:
    used = [0.0]

    def side(joules: float) -> Any:
        return lambda load: lambda: used.__setitem__(0, used[0] + joules)

    sides = {"a": side(1.5), "b": side(4.0)}
    passes = alternate(sides, lambda number: number, rounds=1, warmup=1, device=CPU, meter=lambda: used[0])
    assert [(item["a"].joules, item["b"].joules) for item in passes] == [(1.5, 4.0)] * 2
    assert alternate(sides, lambda number: number, rounds=1, warmup=1, device=CPU)[0]["a"].joules is None


def recorded(calls: list[tuple[str, Any]], name: str) -> Any:
    return lambda load: lambda: calls.append((name, load))


def test_texts_of_a_warm_up_do_not_come_again() -> None:
    calls: list[tuple[str, Any]] = []
    sides = {name: recorded(calls, name) for name in "ab"}
    passes = throughput(sides, lambda number: number, CPU, 0.0)
    assert len(passes) == 2 * serving.MIN_ROUNDS
    assert sorted(calls[:2]) == [("a", 0), ("b", 0)]
    assert sorted({load for _, load in calls[2:]}) == list(range(1, 1 + len(passes)))
    assert "".join(name for name, _ in calls[2:10]) == "abbaabba"


def test_sides_take_turns_at_every_text() -> None:
    calls: list[tuple[str, Any]] = []
    texts = [Asked(words=(str(place),), labels=("x",)) for place in range(3)]
    found = latencies({name: recorded(calls, name) for name in "abc"}, lambda number: texts, CPU, 0.0)
    assert "".join(name for name, _ in calls[:9]) == "abccbaabc"
    assert [load for _, load in calls[:9:3]] == [[text] for text in texts]
    assert len(found) == 2 * serving.MIN_ROUNDS and all(len(item["b"]) == 3 for item in found)


def test_rounds_stay_within_bounds() -> None:
    assert [rounds_within(60, one) for one in (100, 5, 0.1)] == [serving.MIN_ROUNDS, 6, serving.MAX_ROUNDS]


def test_an_answer_is_that_of_the_model_at_its_k(backbone: Path, tmp_path: Path) -> None:
    save_network(tiny_network(backbone), tmp_path / "m")
    model = GLiNER.from_pretrained(tmp_path / "m", device="cpu")
    texts = [Asked(words=tuple(words), labels=tuple(LABELS)) for words in TEXTS]
    own: Any = answering(model, None)(texts)()
    reference = model.predict(TEXTS, LABELS, threshold=serving.THRESHOLD)
    assert [list(found.start) for found in own] == [[entity.start for entity in row] for row in reference]
    narrow: Any = answering(model, 1)(texts)()
    assert any(len(found.start) for found in narrow)
    assert all((found.start == found.end).all() for found in narrow)
    points = [Served(name=name, folder=tmp_path / "m", max_width=width) for name, width in (("a", None), ("b", 1))]
    assert set(sides_of(points, CPU)) == {"a", "b"}


@pytest.mark.parametrize("width", [2, 4])
def test_a_step_at_a_k_is_that_of_a_training_with_it(backbone: Path, width: int) -> None:
    examples, spec = toy_examples(8), tiny_spec(backbone, model_max_width=4)
    stepper = Stepper(spec, [2, 4], examples, "cpu")
    batch = stepper.batches(2)(1)
    stepper.side(6 - width)  # another side was asked for before
    mine: Any = stepper.side(width)(batch)()
    twin = Trainer(with_width(spec, width), examples, "cpu")
    twin.model.train()
    twin.step = batch[0]
    theirs = twin.train_step(batch[1], make_batch(batch[1], twin.spec, twin.network.prompts, batch[0]))
    assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-6)
    assert (mine["positives"], mine["types"]) == (theirs["positives"], theirs["types"])


def test_k_decides_the_cells_and_not_the_types(backbone: Path) -> None:
    examples = [replace(item, spans=(replace_span(item),)) for item in toy_examples(8) if item.spans]
    stepper = Stepper(tiny_spec(backbone), [2, 4], examples, "cpu")
    batch = stepper.batches(1)(0)
    narrow, wide = (stepper.side(width)(batch)() for width in (2, 4))
    assert narrow["types"] == wide["types"]  # type: ignore[index]
    assert narrow["positives"] < wide["positives"]  # type: ignore[index]


def replace_span(item: Any) -> Any:
    return replace(item.spans[0], start=0, end=2)


def test_peaks_of_fresh_processes(backbone: Path, tmp_path: Path) -> None:
    save_network(tiny_network(backbone), tmp_path / "m")
    texts = [Asked(words=tuple(words) * 3, labels=tuple(LABELS)) for words in TEXTS if words]
    models = [Served(name=name, folder=tmp_path / "m", max_width=width) for name, width in (("few", 1), ("many", 1000))]
    specs = {"few": tiny_spec(backbone), "many": tiny_spec(backbone, model_max_width=1000)}
    found = peaks_in_fresh_processes(models, texts, "cpu", specs, toy_examples(4))
    for work in ("inference", "training"):
        few, many = (found[name][work] for name in ("few", "many"))
        assert len(few) == len(many) == PROCESSES * REPEATS
        assert 0 <= sorted(few)[len(few) // 2] < sorted(many)[len(many) // 2] < 2**28


def test_a_process_that_fails_is_one_sentence() -> None:
    with pytest.raises(InputError, match="the memory of x could not be measured"):
        ask_fresh_process("benchmarks.nothing", {}, "the memory of x")


def test_a_gpu_without_a_driver_library_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.efficiency.energy.NVML", "libnothing.so.9")
    assert find_meter(SimpleNamespace(type="cuda")).source == "n/a: the driver's library libnothing.so.9 is not there"  # type: ignore[arg-type]
