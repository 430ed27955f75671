"""Command line: `python -m benchmarks list|plan|evaluate|efficiency|headline|release|ui`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.catalog.adapters import ADAPTERS
from benchmarks.catalog.registry import parse_yaml, read_yaml
from benchmarks.catalog.selection import check_systems
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.commands.efficiency import add_options
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("backbones", "datasets", "mixtures", "suites", "protocols", "systems", "studies", "measurements", "wordings")
KINDS += ("scales",)


def workspace_from(settings: Sequence[str]) -> Workspace:
    """The workspace of workflow/config.yaml with `key=value` changes (values are YAML)."""
    config: dict[str, Any] = read_yaml(ROOT / "workflow" / "config.yaml")
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--config {setting!r}: write key=value")
        config[key] = parse_yaml(value, f"--config {key}")
    space = open_workspace(ROOT, {key: value for key, value in config.items() if value is not None})
    check_systems(space.registry, space.grid)
    return space


def build_parser() -> argparse.ArgumentParser:
    """All commands and options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="GLiNER Bench")
    commands = parser.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", nargs="*", default=[], metavar="KEY=VALUE", help="as `snakemake --config`")
    listing = commands.add_parser("list", parents=[shared], help="what is there")
    listing.add_argument("kind", nargs="?", choices=KINDS, help="one kind of card; default: counts of all")
    plan = commands.add_parser("plan", parents=[shared], help="every run and cell of a scale, with estimates")
    plan.add_argument("--scale", help="short for --config scale=NAME")
    plan.add_argument("--short", action="store_true", help="only sums, not every run, cell and printed number")
    plan.add_argument("--out", type=Path, help="folder for runs.csv, cells.csv and numbers.csv")
    commands.add_parser("headline", parents=[shared], help="headline table of the last run, and where everything is")
    release = commands.add_parser("release", parents=[shared], help="keeps a finished scale's small results in git")
    release.add_argument("name", help="folder below results/released, e.g. 2026-11-22-cpu-pilot")
    release.add_argument("--efficiency", action="store_true", help="only the results of the efficiency command")
    release.add_argument("--readme", action="store_true", help="also put its headline table into README.md")
    interface = commands.add_parser("ui", parents=[shared], help="MLflow UI over the tracking store")
    interface.add_argument("--host", default="127.0.0.1")
    interface.add_argument("--port", type=int, default=5000)
    evaluate = commands.add_parser("evaluate", parents=[shared], help="scores any GLiNER checkpoint on a suite")
    evaluate.add_argument("--model", required=True, help="checkpoint folder, system card or hub id")
    evaluate.add_argument("--revision", help="default: the card's, else main")
    evaluate.add_argument("--adapter", choices=sorted(ADAPTERS), help="ask through this package; default: the card's")
    evaluate.add_argument("--suite", required=True)
    evaluate.add_argument("--protocol", help="default: the suite's")
    evaluate.add_argument("--out", type=Path, help="default: results/evaluations/<model>/<suite>")
    efficiency = commands.add_parser("efficiency", parents=[shared], help="speed and memory beside the package gliner")
    add_options(efficiency)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; prints one sentence and returns 2 on wrong input."""
    options = build_parser().parse_args(arguments)
    try:
        chosen = [f"scale={options.scale}"] if getattr(options, "scale", None) else []
        space = workspace_from([*options.config, *chosen])
        if options.command == "list":
            from benchmarks.commands.listing import list_cards

            list_cards(space, options.kind)
        elif options.command == "plan":
            from benchmarks.commands.plan import print_plan

            print_plan(space, options.short, options.out)
        elif options.command == "headline":
            from benchmarks.commands.headline import print_headline

            print_headline(space)
        elif options.command == "release":
            from benchmarks.commands.release import release_results

            release_results(space, options.name, options.readme, options.efficiency)
        elif options.command == "efficiency":
            from benchmarks.commands.efficiency import measure_efficiency

            return measure_efficiency(space, options)
        elif options.command == "ui":
            from benchmarks.commands.interface import open_interface

            open_interface(space, options.host, options.port)
        else:
            from benchmarks.commands.evaluate import evaluate_model

            evaluate_model(space, options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
