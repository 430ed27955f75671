"""Builds a local conda channel of two packages, `python` and `pip`, for tests without a network of conda channels.

`python` is a virtual environment around the running interpreter, `pip` a copy of the running pip: real packages for a
real solver and installer, a few MB large.
"""

import bz2
import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pip
from rattler import Subdir

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES = f"lib/{PYTHON}/site-packages"


def python_files() -> Iterator[tuple[str, bytes | Path]]:
    """Paths inside the environment with their content; a `Path` becomes a link to it."""
    interpreter = Path(os.path.realpath(sys.executable))
    yield "pyvenv.cfg", f"home = {interpreter.parent}\ninclude-system-site-packages = false\n".encode()
    yield f"bin/{PYTHON}", interpreter
    yield "bin/python", Path(PYTHON)
    yield f"{SITE_PACKAGES}/README.txt", b"Packages of this environment.\n"


def pip_files() -> Iterator[tuple[str, bytes | Path]]:
    """The running pip with its metadata."""
    package = Path(pip.__file__).parent
    for folder in (package, *package.parent.glob("pip-*.dist-info")):
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{SITE_PACKAGES}/{file.relative_to(package.parent)}", file.read_bytes()


def add(archive: tarfile.TarFile, name: str, content: bytes | Path) -> dict[str, Any]:
    """Adds one file or link and returns its entry in the package's path list."""
    info = tarfile.TarInfo(name)
    if isinstance(content, Path):
        info.type, info.linkname = tarfile.SYMTYPE, str(content)
        archive.addfile(info)
        return {"_path": name, "path_type": "softlink"}
    info.size, info.mode = len(content), 0o644
    archive.addfile(info, io.BytesIO(content))
    digest = hashlib.sha256(content).hexdigest()
    return {"_path": name, "path_type": "hardlink", "sha256": digest, "size_in_bytes": len(content)}


def package(index: dict[str, Any], files: Iterator[tuple[str, bytes | Path]]) -> bytes:
    """A conda package in the older of the two formats, .tar.bz2."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        paths = [add(archive, name, content) for name, content in files]
        add(archive, "info/index.json", json.dumps(index).encode())
        add(archive, "info/paths.json", json.dumps({"paths": paths, "paths_version": 1}).encode())
        add(archive, "info/files", "\n".join(entry["_path"] for entry in paths).encode())
    return bz2.compress(stream.getvalue(), compresslevel=1)


def build_channel(folder: Path) -> None:
    """Writes the channel's packages and its index."""
    platform = str(Subdir.current())
    version = ".".join(map(str, sys.version_info[:3]))
    contents = {"python": (version, [], python_files()), "pip": (pip.__version__, ["python"], pip_files())}
    records = {}
    for name, (release, depends, files) in contents.items():
        index = {
            "name": name,
            "version": release,
            "build": "0",
            "build_number": 0,
            "depends": depends,
            "subdir": platform,
        }
        data = package(index, files)
        file = folder / platform / f"{name}-{release}-0.tar.bz2"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        records[file.name] = index | {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    for subdir, packages in ((platform, records), ("noarch", {})):
        (folder / subdir).mkdir(exist_ok=True)
        repodata = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}, "repodata_version": 1}
        (folder / subdir / "repodata.json").write_text(json.dumps(repodata), encoding="utf-8")
