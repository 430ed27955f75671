"""Rule `mix`: prepared datasets -> training mixture."""

from itertools import chain
from pathlib import Path

from benchmarks.corpora.mixture import part_key, prepare_mixture
from benchmarks.pipeline.integrity import check_split
from benchmarks.pipeline.job import job

with job(snakemake) as space:
    card = space.registry.mixtures[snakemake.wildcards.mixture]
    parts = [*card.parts, *([card.dev] if card.dev else [])]
    files = {part_key(part): space.data(part.dataset) / f"{part.split}.jsonl" for part in parts}
    suites = {suite: space.whole_files(suite) for suite in card.disjoint_from}
    for file in [*files.values(), *chain.from_iterable(suites.values())]:
        check_split(file)
    prepare_mixture(card, files, suites, Path(snakemake.output[0]))
