"""Where things lie and what one invocation plans: registry, settings, grid and every path, in one frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.catalog.cards import ScaleCard
from benchmarks.catalog.devices import choose_device, shared_devices
from benchmarks.catalog.grid import Grid, build_grid
from benchmarks.catalog.recipes import MIXTURE_KEY
from benchmarks.catalog.registry import Registry, load_registry
from benchmarks.catalog.settings import Settings, load_settings
from benchmarks.catalog.trainers import PARALLEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The plan of one invocation and its folders."""

    root: Path
    registry: Registry
    settings: Settings
    device: str
    grid: Grid
    leased: tuple[str, ...] = ()  # what the job at hand holds of `shared_devices`

    @property
    def results(self) -> Path:
        """The results folder (relative to the working directory unless the user gave an absolute path)."""
        return Path(self.settings.results)

    @property
    def home(self) -> Path:
        """results/<scale>: the scale is in every path, so a demo number cannot stand in a paper table."""
        return self.results / self.settings.scale

    @property
    def shared_devices(self) -> tuple[str, ...]:
        """Names of the devices that jobs share out; nothing on a plain CPU."""
        return shared_devices(self.device)

    def processes(self, run: str) -> int:
        """Processes that train a run together, each with a device of its own."""
        alone = self.grid.runs[run].spec.optim.trainer not in PARALLEL
        return 1 if alone or not (self.device == "cuda" or self.shared_devices) else self.settings.gpus_per_run

    @property
    def tracking_folder(self) -> Path:
        """The default store, its artifacts and the markers of what is in it; may be deleted, it is rebuilt."""
        return self.results / "tracking"

    @property
    def tracking_uri(self) -> str:
        """The MLflow store."""
        default = f"sqlite:///{self.tracking_folder.resolve()}/mlflow.db"
        return self.settings.tracking_uri or default

    @property
    def baseline_mixture(self) -> str:
        """The mixture that runs train on unless a study varies it."""
        return str(self.settings.overrides.get(MIXTURE_KEY, self.scale.mixture))

    def data(self, dataset: str) -> Path:
        """Folder of a prepared dataset; shared by all scales."""
        return self.results / "data" / dataset

    def mixture(self, name: str) -> Path:
        """Folder of a prepared training mixture."""
        return self.results / "mixtures" / name

    def wording(self, name: str) -> Path:
        """File of a prepared wording; shared by all scales."""
        return self.results / "wordings" / f"{name}.json"

    def run(self, run: str) -> Path:
        """Folder of one training."""
        return self.home / "runs" / run

    def suite_files(self, suite: str) -> dict[str, Path]:
        """Test file of every dataset of a suite."""
        return {name: self.test_file(name, suite) for name in self.registry.suite_datasets(suite)}

    def whole_files(self, suite: str) -> list[Path]:
        """The evaluated split of every dataset of a suite, also where the suite asks for a sample of it only."""
        split = self.registry.suites[suite].split
        return [self.data(name) / f"{split}.jsonl" for name in self.registry.suite_datasets(suite)]

    def test_folder(self, dataset: str, suite: str) -> Path:
        """Where a dataset of a suite lies: the prepared one, or a sample of it."""
        card = self.registry.suites[suite]
        return self.results / "samples" / f"{dataset}.{card.part}" if card.max_sentences else self.data(dataset)

    def test_file(self, dataset: str, suite: str) -> Path:
        """The file a dataset of a suite is evaluated on."""
        return self.test_folder(dataset, suite) / f"{self.registry.suites[suite].split}.jsonl"

    def samples(self) -> dict[str, tuple[str, str, int]]:
        """Every sample that a suite asks for: name of its folder -> dataset, split, and how many sentences."""
        return {
            f"{dataset}.{card.part}": (dataset, card.split, card.max_sentences)
            for name, card in self.registry.suites.items()
            if card.max_sentences
            for dataset in self.registry.suite_datasets(name)
        }

    def dataset_titles(self) -> dict[str, str]:
        """Readable dataset names."""
        return {name: card.title for name, card in self.registry.datasets.items()}

    @property
    def measurements(self) -> tuple[str, ...]:
        """What is asked for among `studies` that is timed rather than scored."""
        return tuple(name for name in self.settings.studies or () if name in self.registry.measurements)

    @property
    def scale(self) -> ScaleCard:
        """The card of the scale."""
        return self.registry.scales[self.settings.scale]

    def study(self, name: str) -> Path:
        """Folder of one study's cells, table and figure."""
        return self.home / "studies" / name


def open_workspace(root: Path, config: Mapping[str, Any]) -> Workspace:
    """Reads all cards, checks the configuration and expands the grid; raises `InputError` with one sentence."""
    registry = load_registry(root)
    settings = load_settings(config, registry)
    device = choose_device(settings.device)
    grid = build_grid(registry, settings, device)
    return Workspace(root=root, registry=registry, settings=settings, device=device, grid=grid)
