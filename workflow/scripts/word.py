"""Rule `word`: a wording card, and its pinned public file if it has one -> label strings to ask instead."""

from pathlib import Path

from benchmarks.corpora.sources import fetch
from benchmarks.corpora.wording import prepare_wording
from benchmarks.pipeline.job import job

with job(snakemake) as space:
    settings = space.settings
    card = space.registry.wordings[snakemake.wildcards.wording]
    place = settings.cache_folder(), settings.mirror_folder(), settings.offline
    prepare_wording(card, fetch(card.source, *place) if card.source else None, Path(snakemake.output[0]))
