"""Rule `compare`: cells + published numbers -> verdicts."""

from benchmarks.pipeline.job import job
from benchmarks.reporting.compare import compare
from benchmarks.reporting.summary import read_cells
from gliner_core.files import atomic_write

with job(snakemake) as space:
    card = space.registry.studies[snakemake.wildcards.study]
    verdicts = compare(
        read_cells(snakemake.input[0]), card.references, space.settings.scale, sorted(space.settings.overrides)
    )
    with atomic_write(snakemake.output[0]) as stream:
        verdicts.to_csv(stream, index=False, lineterminator="\n")
