"""Rule `plot`: cells + costs -> figure.{svg,png}."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.reporting.figures import draw_figure
from benchmarks.reporting.inputs import published_of, read_cells_with_costs

with job(snakemake) as space:
    card = space.registry.studies[snakemake.wildcards.study]
    cells = read_cells_with_costs(snakemake.input.cells, snakemake.input.costs)
    svg, png = Path(snakemake.output.svg), Path(snakemake.output.png)
    draw_figure(cells, card, published_of(card), svg, png, space.scale.synthetic, space.dataset_titles())
