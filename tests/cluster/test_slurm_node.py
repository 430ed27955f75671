"""What Slurm itself does with the processes of a node that falls silent: the claim of workflow/README.md."""

import os
import subprocess
from pathlib import Path

import pytest
from queue_records import control, node_state, queue, wait_for

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

# Writes its process id, then waits: the first time for long, when it is started again not at all.
JOB = """#!/bin/sh
echo $$ >> pids
[ "$(wc -l < pids)" -gt 1 ] && { kill -0 "$(head -1 pids)" && echo alive > verdict || echo gone > verdict; exit 0; }
sleep 600
"""


def test_a_cut_off_process_is_gone_before_its_job_starts_again(slurm: None, tmp_path: Path) -> None:
    command = ["sbatch", "--parsable", "--requeue", "--mem=50", "--time=20", f"--chdir={tmp_path}", "/dev/stdin"]
    number = subprocess.run(command, input=JOB, capture_output=True, text=True, check=True).stdout.strip()
    pids = tmp_path / "pids"
    wait_for("the job runs", pids.exists)
    first = int(pids.read_text().split()[0])
    control("agent-stops")
    try:
        wait_for("Slurm finds the node down", lambda: node_state().startswith("down"))
        os.kill(first, 0)  # cut off, and still at work
    finally:
        control("node-returns")
    wait_for("the job has run again", lambda: any(job.id == number and job.state == "COMPLETED" for job in queue()))
    assert (tmp_path / "verdict").read_text().strip() == "gone"
