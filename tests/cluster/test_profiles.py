"""The cluster profiles without a cluster: keys, rule names, groups, and the plan that they lead to."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from checkout import ROOT, Checkout, copy_repository
from expected import job_counts
from snakemake.cli import parse_args

from benchmarks.catalog.analyses import ANALYSES

PROFILES = {"slurm": "slurm", "kubernetes": "cluster-generic"}  # profile -> executor
KUBECTL = ("submit", "status", "cancel")
SUBMITTED = ("threads", "resources.mem_mb", "resources.gpu", "resources.runtime")
RULES = {
    name: body
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n((?:(?: {4}.*)?\n)+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}
ON_A_GPU = {name for name, body in RULES.items() if re.search(r"^ {8}gpu=", body, re.MULTILINE)}


def profile(name: str) -> dict[str, Any]:
    """One profile as plain data."""
    path = ROOT / "workflow" / "profiles" / name / "config.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """An untouched copy; only planned in, never run."""
    folder = tmp_path_factory.mktemp("profiles")
    copy = copy_repository(folder / "copy", folder / "site")
    copy.configure(offline=True)
    return copy


@pytest.fixture(scope="module", params=PROFILES)
def plan(request: pytest.FixtureRequest, checkout: Checkout) -> str:
    """What a dry run of the demo under a profile prints, for the second attempt of every job."""
    folder = f"workflow/profiles/{request.param}"
    outcome = checkout.run("snakemake", "--dry-run", "--attempt", "2", "--profile", folder, "--config", "scale=demo")
    assert outcome.code == 0, outcome.text[-3000:]
    return outcome.text


@pytest.mark.parametrize("name", PROFILES)
def test_snakemake_knows_every_key(name: str) -> None:
    _, options = parse_args(["--profile", str(ROOT / "workflow" / "profiles" / name), "--snakefile", "Snakefile"])
    assert options.executor == PROFILES[name]
    given = {key.replace("-", "_") for key in profile(name)}
    assert given <= set(vars(options)), "a key that is no option would be ignored or refused at the start"
    assert options.retries >= 1 and options.jobs > 1


def test_the_executors_read_their_own_keys() -> None:
    options = {name: parse_args(["--profile", str(ROOT / "workflow/profiles" / name)])[1] for name in PROFILES}
    assert options["slurm"].slurm_requeue is True
    commands = {name: getattr(options["kubernetes"], f"cluster_generic_{name}_cmd") for name in KUBECTL}
    assert all((ROOT / command.split()[0]).is_file() for command in commands.values())
    assert commands["submit"].split()[1:] == [f"{{{name}}}" for name in SUBMITTED]


def test_an_unknown_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("executor: slurm\nslurm-no-such-key: 1\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        parse_args(["--profile", str(tmp_path)])
    assert "slurm-no-such-key" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROFILES)
def test_every_rule_that_a_profile_names_exists(name: str) -> None:
    content = profile(name)
    named = set(content.get("groups", {})) | set(content.get("set-resources", {}))
    assert named - set(RULES) == set()
    assert set(content["group-components"]) <= set(content["groups"].values())


@pytest.mark.parametrize("name", PROFILES)
def test_no_rule_that_asks_for_a_gpu_is_in_a_group(name: str) -> None:
    assert {"train", "predict", "gather", "measure"} <= ON_A_GPU, "found by reading `gpu=` in the rules"
    assert set(profile(name)["groups"]) & ON_A_GPU == set(), "a group adds up the GPUs of its members"


@pytest.mark.parametrize("name", PROFILES)
def test_rules_kept_on_the_submitting_machine_are_in_no_group(name: str) -> None:
    text = (ROOT / "Snakefile").read_text(encoding="utf-8")
    (block,) = re.findall(r"^localrules:\n((?: {4}.*\n)+)", text, re.MULTILINE)
    local = set(re.findall(r"\w+", block)) | {rule for rule, body in RULES.items() if "localrule:" in body}
    assert {"all", "fetch", "open_store", "publish", "track", "collect"} <= local
    assert set(profile(name)["groups"]) & local == set(), "Snakemake submits a local rule that is in a group"


def test_what_is_timed_gets_a_node_alone() -> None:
    expression = profile("slurm")["set-resources"]["gather"]["slurm_extra"]
    alone = {name for name in ANALYSES if eval(expression, {"wildcards": SimpleNamespace(analysis=name)})}
    assert alone == {name for name, entry in ANALYSES.items() if entry.alone}


def test_a_plan_under_a_profile_is_the_plan_of_one_machine(plan: str, checkout: Checkout) -> None:
    table = plan.rsplit("Job stats:", 1)[1].split("total", 1)[0]
    counted = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
    assert counted == job_counts(checkout.folder, "demo")


def test_jobs_with_a_model_ask_for_one_gpu_and_groups_for_none(plan: str) -> None:
    blocks = re.findall(r"^rule (\w+):\n((?: {4}.*\n)+)", plan, re.MULTILINE)
    asked = {(name, "gpu=1" in body) for name, body in blocks}
    assert {("train", True), ("predict", True)} <= asked
    assert {name for name, with_gpu in asked if with_gpu} <= ON_A_GPU
    grouped = re.findall(r"^ {4}(?:local)?rule (\w+):\n((?: {8}.*\n)+)", plan, re.MULTILINE)
    assert {name for name, _ in grouped} >= {"prepare", "mix", "score", "compare", "tabulate", "plot", "present"}
    assert not any("gpu=1" in body for _, body in grouped)


def test_a_second_attempt_gets_twice_the_memory_and_time(plan: str) -> None:
    found = {
        name: tuple(int(re.search(rf"{key}=(\d+)", body)[1]) for key in ("mem_mb", "runtime"))
        for name, body in re.findall(r"^ *rule (\w+):\n((?: {4,}.*\n)+)", plan, re.MULTILINE)
        if "mem_mb" in body
    }
    assert found["predict"] == (2 * 4000, 2 * 120)
    assert found["score"] == (2 * 2000, 2 * 60)
    memory, minutes = found["train"]
    assert memory >= 2 * 4000 and minutes == 2 * 30
