"""Rule `score`: predictions + gold + protocols -> scores."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.pipeline.scoring import score_batch

with job(snakemake) as space:
    predicted, scored = Path(snakemake.input.predictions), Path(snakemake.output[0])
    score_batch(space, snakemake.wildcards.owner, snakemake.wildcards.suite, predicted, scored)
