"""The Kubernetes profile with a stand-in for `kubectl`, which does on this machine what a pod would do. No cluster."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from checkout import ROOT, Checkout, copy_repository

SCRIPTS = ROOT / "workflow" / "profiles" / "kubernetes"
# Keeps the manifest and runs its command; `get` answers as the server does, by what the command left.
KUBECTL = f"""#!{sys.executable}
import os, subprocess, sys, yaml
folder = os.environ["STAND_IN"]
if os.path.exists(folder + "/away"):
    sys.exit("Unable to connect to the server")
if sys.argv[1] == "create":
    job = yaml.safe_load(sys.stdin)
    place = folder + "/" + job["metadata"]["name"]
    open(place + ".yaml", "w").write(yaml.safe_dump(job))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    code = subprocess.run(container["command"], cwd=container["workingDir"]).returncode
    open(place + ".status", "w").write("FailureTarget Failed " if code else "SuccessCriteriaMet Complete ")
elif sys.argv[1] == "get":
    place = folder + "/" + sys.argv[3] + ".status"
    if not os.path.exists(place):
        sys.exit("Error from server (NotFound)")
    print(open(place).read())
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts the stand-in first in PATH; the folder holds its manifests."""
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(KUBECTL, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    settings = {"IMAGE": "registry.example.org/bench:1", "CLAIM": "bench", "MOUNT": str(tmp_path)}
    for name, value in settings.items():
        monkeypatch.setenv(f"GLINER_BENCH_{name}", value)
    monkeypatch.setenv("STAND_IN", str(tmp_path))
    return tmp_path


def submit(cluster: Path, script: str, gpus: int = 0) -> str:
    """Submits a shell script; returns the printed name."""
    (cluster / "job.sh").write_text(script, encoding="utf-8")
    command = [SCRIPTS / "submit.sh", "2", "4000", str(gpus), "30", cluster / "job.sh"]
    done = subprocess.run(command, cwd=cluster, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def status(name: str) -> str:
    return subprocess.run([SCRIPTS / "status.sh", name], capture_output=True, text=True, check=True).stdout.strip()


def test_a_pod_gets_what_the_job_asks_for(cluster: Path) -> None:
    name = submit(cluster, "pwd", gpus=1)
    job = yaml.safe_load((cluster / f"{name}.yaml").read_text(encoding="utf-8"))
    assert job["spec"]["activeDeadlineSeconds"] == 1800 and job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"] == {"limits": {"cpu": 2, "memory": "4000M", "nvidia.com/gpu": 1}}
    assert container["image"] == "registry.example.org/bench:1" and container["workingDir"] == str(cluster)
    assert container["volumeMounts"] == [{"name": "project", "mountPath": str(cluster)}]
    assert pod["volumes"] == [{"name": "project", "persistentVolumeClaim": {"claimName": "bench"}}]
    name = submit(cluster, "pwd")
    assert "nvidia" not in (cluster / f"{name}.yaml").read_text(encoding="utf-8")


def test_states_are_those_that_snakemake_knows(cluster: Path) -> None:
    assert status(submit(cluster, "exit 0")) == "success"
    assert status(submit(cluster, "exit 3")) == "failed"
    assert status("gliner-bench-unknown") == "failed"
    for said, state in (("", "running"), ("SuccessCriteriaMet ", "running"), ("Failed ", "failed")):
        (cluster / "late.status").write_text(said)  # without a count of failed pods, as after its deadline
        assert status("late") == state
    (cluster / "away").touch()
    assert status("gliner-bench-unknown") == "running"  # a server that is away says nothing about the job


def test_a_folder_outside_the_volume_is_refused(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLINER_BENCH_MOUNT", "/elsewhere")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        submit(cluster, "pwd")
    assert "is not below GLINER_BENCH_MOUNT=/elsewhere" in refused.value.stderr
    assert not list(cluster.glob("*.yaml"))


def snakemake(checkout: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the workflow under the profile in a copy of the repository."""
    # The copies' environment drops GLINER_BENCH_*, which the submit script needs.
    settings = {name: value for name, value in os.environ.items() if name.startswith("GLINER_BENCH_")}
    profile = ["--profile", "workflow/profiles/kubernetes", "--latency-wait", "5", "--retries", "0"]
    command = [sys.executable, "-m", "snakemake", *profile, *arguments]
    environment = checkout.environment() | settings
    return subprocess.run(command, cwd=checkout.folder, env=environment, capture_output=True, text=True, timeout=600)


def test_the_profile_runs_a_job_and_refuses_a_device_that_machines_see_differently(cluster: Path) -> None:
    checkout: Checkout = copy_repository(cluster / "copy", cluster / "site")
    target = "results/data/demo_ood_sport"
    refused = snakemake(checkout, "--config", "device=auto", "--", target)
    assert refused.returncode != 0 and "set device=cuda or device=cpu" in refused.stderr
    assert not list(cluster.glob("gliner-bench-*.yaml"))
    done = snakemake(checkout, "--config", "device=cpu", "--", target)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (checkout.path(target) / "test.jsonl").stat().st_size > 0
    (manifest,) = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in cluster.glob("gliner-bench-*.yaml"))
    limits = manifest["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": 1, "memory": "2000M"}
