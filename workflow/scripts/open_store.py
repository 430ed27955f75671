"""Rule `open_store`: creates the MLflow store and the experiment."""

from benchmarks.pipeline.job import job
from benchmarks.reporting.tracking import init_store
from gliner_core.files import write_json

with job(snakemake) as space:
    experiment = init_store(space.tracking_uri, space.tracking_folder / "artifacts", space.settings.scale)
    write_json(snakemake.output[0], {"uri": space.tracking_uri, "experiment": experiment})
