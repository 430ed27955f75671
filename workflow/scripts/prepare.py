"""Rule `prepare`: raw files -> canonical words and spans."""

from pathlib import Path

from benchmarks.corpora.prepare import prepare_dataset
from benchmarks.corpora.sources import fetch
from benchmarks.pipeline.job import job

with job(snakemake) as space:
    settings = space.settings
    card = space.registry.datasets[snakemake.wildcards.dataset]
    place = settings.cache_folder(), settings.mirror_folder(), settings.offline
    files = {split: [fetch(item, *place) for item in items] for split, items in card.sources.items()}
    prepare_dataset(card, files, Path(snakemake.output[0]))
