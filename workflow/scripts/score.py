"""Rule `score`: predictions + gold + protocols -> scores."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.pipeline.scoring import score_batch

with job(snakemake) as space:
    score_batch(space, snakemake.wildcards.owner, snakemake.wildcards.suite, Path(snakemake.output[0]))
