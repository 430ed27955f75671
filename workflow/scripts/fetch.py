"""Rule `fetch`: pinned raw files of one dataset -> the verified cache."""

from benchmarks.corpora.sources import fetch_dataset
from benchmarks.pipeline.job import job
from gliner_core.files import write_json

with job(snakemake) as space:
    settings = space.settings
    card = space.registry.datasets[snakemake.wildcards.dataset]
    place = settings.cache_folder(), settings.mirror_folder(), settings.offline
    files = fetch_dataset(card, *place)
    write_json(snakemake.output[0], {split: [str(path) for path in paths] for split, paths in files.items()})
