"""The `conda` calls that `snakemake --use-conda` makes, answered by py-rattler's solver and installer.

STANDIN_CHANNELS is the address of a folder of channels; a channel's name is a folder in it.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import rattler
import yaml

VERSION = "26.7.0"
PREFIX = Path(__file__).resolve().parent


async def install(prefix: str, specs: list[str], channels: list[str]) -> None:
    """Solves the specs over the channels and links the packages into the prefix."""
    records = await rattler.solve(
        sources=[rattler.Channel(f"{os.environ['STANDIN_CHANNELS']}/{name}") for name in channels],
        specs=[rattler.MatchSpec(spec, strict=True) for spec in specs],
        platforms=[rattler.Subdir.current(), rattler.Subdir("noarch")],
    )
    await rattler.install(records=records, target_prefix=prefix)


def create(file: str, prefix: str) -> None:
    """`conda env create`: the conda packages first, then the `pip:` list with the environment's own pip."""
    document: dict[str, Any] = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    specs = [item for item in document["dependencies"] if isinstance(item, str)]
    lines = [line for item in document["dependencies"] if isinstance(item, dict) for line in item["pip"]]
    asyncio.run(install(prefix, specs, document["channels"]))
    if lines:
        subprocess.run([f"{prefix}/bin/python", "-m", "pip", "install", "--quiet", *lines], check=True)


def main(arguments: list[str]) -> None:
    """Answers one call, or refuses it by name."""
    match arguments:
        case ["--version"]:
            print(f"conda {VERSION}")
        case ["info", "--json"]:
            info = {"conda_prefix": str(PREFIX), "platform": str(rattler.Subdir.current()), "conda_version": VERSION}
            print(json.dumps(info))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["clean", *_]:
            return
        case ["env", "create", *options]:
            create(options[options.index("--file") + 1], options[options.index("--prefix") + 1])
        case _:
            sys.exit(f"the conda stand-in does not know: conda {' '.join(arguments)}")


if __name__ == "__main__":
    main(sys.argv[1:])
