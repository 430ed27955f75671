"""Rule `show_measurement`: tidy rows -> verdicts on the targets, table, figure."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.reporting.efficiency import write_pages

with job(snakemake) as space:
    write_pages(Path(snakemake.output.table).parent, space.registry.measurements[snakemake.wildcards.measurement])
