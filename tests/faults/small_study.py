"""A study of two short trainings on two tiny datasets, one of them fetched, whose tables are ready in a minute."""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from checkout import Checkout, commit, copy_repository
from tiny_demo import shrink

HOME = "results/demo"
STUDY = f"{HOME}/studies/span_width"
TARGETS = (f"{STUDY}/table.csv", f"{STUDY}/differences.csv")
SUITE = ["fetched", "demo_ood_sport"]
SAVE_ALWAYS = "\nSAVE_EVERY_SECONDS = 0.0\n"


def make_study(folder: Path) -> Checkout:
    """A fresh copy of the repository, shrunk; a checkpoint is written after every one of 60 steps."""
    checkout = copy_repository(folder / "copy", folder / "site")
    shrink(checkout)
    fetched(checkout, folder / "mirror")
    checkout.change("benchmarks/suites/demo_ood.yaml", datasets=SUITE)
    checkout.change("benchmarks/studies/span_width.yaml", analyses=[])
    checkout.configure(
        studies=["span_width"], overrides={"optim.steps": 60, "model.hidden_size": 32}, resamples=100, seeds=[1],
        device="cpu", mirror=str(folder / "mirror"),
    )  # fmt: skip
    train = checkout.path("gliner_core/train.py").read_text(encoding="utf-8")
    checkout.write("gliner_core/train.py", train + SAVE_ALWAYS)
    commit(checkout)
    return checkout


def fetched(checkout: Checkout, mirror: Path) -> None:
    """A dataset whose raw file a mirror holds, so that there is something to fetch."""
    rows = [{"id": f"a{n}", "words": ["Ada", "met", "Bo", str(n)], "spans": [[0, 0, "person"]]} for n in range(20)]
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    digest, commit_id = hashlib.sha256(raw).hexdigest(), "0" * 40
    mirror.mkdir(parents=True, exist_ok=True)
    (mirror / "fetched.jsonl").write_bytes(raw)
    line = f"fetched.jsonl\t{digest}\tsomeone/corpora\t{commit_id}\tfetched.jsonl\n"
    (mirror / "manifest.tsv").write_text("file\tsha256_raw\trepo\tcommit\tpath\n" + line, encoding="utf-8")
    source = {"repo": "someone/corpora", "commit": commit_id, "path": "fetched.jsonl", "sha256": digest}
    facts = {"language": "en", "script": "Latin", "domain": "test", "licence": "none", "synthetic": True}
    checkout.card("datasets", "fetched", **facts, reader="jsonl", labels=["person"], sources={"test": [source]})


def command(*targets: str) -> list[str]:
    """The one plain command: the same for the first start and after every kill."""
    return ["snakemake", "--cores", "2", *(targets or TARGETS)]
