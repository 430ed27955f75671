"""Rule `tabulate`: cells -> table.{csv,md,tex}."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.reporting.inputs import published_of, read_verdicts
from benchmarks.reporting.paired import read_differences
from benchmarks.reporting.summary import read_cells
from benchmarks.reporting.tables import build_table, write_table

with job(snakemake) as space:
    card = space.registry.studies[snakemake.wildcards.study]
    cells, verdicts = read_cells(snakemake.input.cells), read_verdicts(snakemake.input.verdicts)
    paired = read_differences(snakemake.input.differences)
    table = build_table(cells, card, published_of(card), space.dataset_titles(), verdicts, paired)
    corpora = ", synthetic corpora" if space.scale.synthetic else ""
    caption = f"{card.title} (scale {space.grid.scale}{corpora})"
    write_table(table, *(Path(path) for path in snakemake.output), caption=caption)
