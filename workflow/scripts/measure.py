"""Rule `measure`: both sides of every case -> tidy rows and receipt."""

from pathlib import Path

from benchmarks.efficiency.suite import Order, run_suite
from benchmarks.pipeline.job import job
from gliner_core.errors import InputError

with job(snakemake) as space:
    card = space.registry.measurements[snakemake.wildcards.measurement]
    order = Order(size=snakemake.params.size, out=Path(snakemake.output.cases).parent, device=space.device)
    if void := run_suite(space, card, order):
        raise InputError(f"{void} cases are void: the sides do not compute the same; {snakemake.log[0]} says where")
