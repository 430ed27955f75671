"""Makes a copy of the repository look as after a finished workflow, without a single job's work.

    python -m tests.scale.finishing        in the copy, with the repository first in the search path

Snakemake itself plans everything, goes through the jobs in order and writes its own records of their code, parameters
and inputs, as after real work; in place of a script an executor puts an empty file or folder at every output. A later
plan therefore decides on all of its triggers, and an edit shows in it as usual.
"""

import sys
from pathlib import Path

from snakemake.cli import main
from snakemake.executors import touch

touch_outputs = touch.Executor.run_job


def make_outputs(executor: touch.Executor, job: object) -> None:
    """Creates what a job would leave; then `--touch` does the rest."""
    for name in job.output:
        path = Path(str(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(exist_ok=True) if name.is_directory else path.touch()
    touch_outputs(executor, job)


if __name__ == "__main__":
    touch.Executor.SLEEPING_TIME = 0  # a tenth of a second a job by default
    touch.Executor.run_job = make_outputs
    # So many cores that all that is ready goes at once: choosing two of thousands, thousands of times, takes hours.
    main([*sys.argv[1:], "--touch", "--quiet", "all", "--cores", "100000", "--scheduler", "greedy"])
