"""Cards of a large synthetic study grid, written into a copy of the repository.

The shape is the paper's, times ten: a training answers two suites, a suite is read under two protocols, each study has
one axis. Data sets, suites, studies and the scale have cards of their own; code and rules are the repository's.
"""

from dataclasses import dataclass

import yaml

from tests.workflow.checkout import Checkout

SCALE = "times_ten"
SEEDS, POINTS = 5, 20  # of a study; together the runs of one recipe
PROTOCOLS = ("gliner-official", "gliner-fixed")  # they ask alike, so both are read from one prediction file
LIKE = "crossner_ai"  # whose card the data sets take over but for the name


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a grid is; `cells` are prediction files."""

    runs: int
    cells: int

    def __post_init__(self) -> None:
        if self.runs % (SEEDS * POINTS) or self.cells % self.runs or self.cells // self.runs < 3:
            raise ValueError(f"`runs` must be a multiple of {SEEDS * POINTS}, `cells` one of `runs`, at least 3 a run")

    @property
    def suites(self) -> dict[str, int]:
        """Suite -> its data sets; all runs answer both."""
        datasets = self.cells // self.runs
        return {"scale_wide": datasets - datasets // 3, "scale_narrow": datasets // 3}

    @property
    def recipes(self) -> int:
        """Recipes, each with a study on either suite."""
        return self.runs // (SEEDS * POINTS)

    @property
    def studies(self) -> int:
        """Studies in all."""
        return self.recipes * len(self.suites)


def write_cards(checkout: Checkout, size: Size) -> None:
    """Adds the cards and makes the new scale that of the configuration."""
    likeness = yaml.safe_load(checkout.path(f"benchmarks/datasets/{LIKE}.yaml").read_text(encoding="utf-8"))
    for suite, num in size.suites.items():
        names = [f"{suite}_{place:02d}" for place in range(num)]
        for name in names:
            checkout.card("datasets", name, **{**likeness, "name": name, "title": name, "tags": [suite]})
        checkout.card("suites", suite, closed=True, datasets=names, protocol=PROTOCOLS[0], synthetic=False)
    studies = []
    for recipe in range(size.recipes):
        for suite in size.suites:
            studies.append(f"recipe_{recipe:02d}_{suite}")
            checkout.card("studies", studies[-1], **_study(recipe, suite))
    paper = yaml.safe_load(checkout.path("workflow/scales/paper.yaml").read_text(encoding="utf-8"))
    card = {**paper, "name": SCALE, "title": SCALE, "studies": studies, "seeds": list(range(1, SEEDS + 1))}
    checkout.write(f"workflow/scales/{SCALE}.yaml", yaml.safe_dump(card, sort_keys=False))
    checkout.configure(scale=SCALE, device="cpu", offline=True)


def _study(recipe: int, suite: str) -> dict[str, object]:
    return {
        "question": "How long does a plan of this size take?",
        "claim": "None.",
        "suite": suite,
        "protocols": list(PROTOCOLS),
        "axes": {"model.max_width": list(range(2, 2 + POINTS))},
        "overrides": {"objective.positive_weight": 1.5 + recipe / 100},  # no recipe is the baseline of another
        "layout": "axes",
        "figure": "lines",
        "scales": [SCALE],
    }
