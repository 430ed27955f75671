"""Rule `prepare`: raw files -> canonical words and spans."""

from pathlib import Path

from benchmarks.corpora.prepare import prepare_dataset
from benchmarks.corpora.sources import fetch_dataset
from benchmarks.pipeline.job import job

with job(snakemake) as space:
    settings = space.settings
    card = space.registry.datasets[snakemake.wildcards.dataset]
    place = settings.cache_folder(), settings.mirror_folder(), settings.offline
    prepare_dataset(card, fetch_dataset(card, *place), Path(snakemake.output[0]))
