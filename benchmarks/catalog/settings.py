"""What a user sets in `workflow/config.yaml` or with `--config`: typed, unknown keys refused, defaults filled."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from benchmarks.catalog.logins import stow_login, without_password
from benchmarks.catalog.registry import Registry, parse, parse_yaml
from gliner_core.errors import InputError
from gliner_core.files import cache_home

MIRROR_VARIABLE = "GLINER_BENCH_MIRROR"


OnePath = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Settings(BaseModel):
    """One run of the workflow. Lists given on the command line arrive as strings and are converted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: str = Field(default="demo", description="demo, pilot or paper: data, backbone and recipe")
    studies: tuple[str, ...] | None = Field(default=None, description="study names; empty = all of the scale")
    seeds: tuple[int, ...] | None = Field(default=None, description="training seeds; empty = the scale's")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto = a GPU if there is one")
    gpus: int | None = Field(default=None, ge=1, description="GPUs in use at the same time; empty = all visible ones")
    gpus_per_run: int = Field(default=1, ge=1, description="GPUs that train one run together")
    mirror: OnePath | None = Field(default=None, description=f"folder with raw data; empty = ${MIRROR_VARIABLE}")
    cache: OnePath | None = Field(default=None, description="verified raw files; empty = ~/.cache/gliner-bench")
    offline: bool = Field(default=False, description="never ask the network")
    tracking_uri: str | None = Field(default=None, description="MLflow store; empty = SQLite below results/tracking")
    tracking_artifacts: str | None = Field(
        default=None, description="folder or address of artifacts for a database; empty = below results/tracking"
    )
    tracking_wait: int = Field(default=600, ge=0, description="seconds to wait for a store that does not answer")
    results: OnePath = Field(default="results", description="where everything is written")
    overrides: dict[str, Any] = Field(default_factory=dict, description="dotted spec keys set on every run")
    resamples: int = Field(default=1000, ge=100, description="bootstrap resamples of an interval")

    @field_validator("studies", "seeds", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if value in (None, [], ()):
            return None
        return value if isinstance(value, list | tuple) else [value]

    @field_validator("tracking_uri")
    @classmethod
    def _without_login(cls, value: str | None) -> str | None:
        # Settings are printed, recorded and passed on; a password must not travel with them.
        return stow_login(value) if value else None

    @field_validator("tracking_artifacts")
    @classmethod
    def _no_login(cls, value: str | None) -> str | None:
        if value and without_password(value) != value:
            raise ValueError("holds a login, which MLflow would keep; give it to the store's own environment variables")
        return value

    @field_validator("overrides", mode="before")
    @classmethod
    def _typed(cls, value: Any) -> Any:
        # Snakemake hands nested values of `--config` over as text.
        value = parse_yaml(value, "`overrides`") if isinstance(value, str) else value
        if not isinstance(value, Mapping):
            return value or {}
        return {
            key: parse_yaml(item, f"`overrides`: `{key}`") if isinstance(item, str) else item
            for key, item in value.items()
        }

    def mirror_folder(self) -> Path | None:
        """The mirror from the key or the environment; a folder that is named must exist."""
        given = self.mirror or os.environ.get(MIRROR_VARIABLE)
        if given is None:
            return None
        folder = _expanded(given)
        if not _is_folder(folder):
            where = "workflow/config.yaml: `mirror`" if self.mirror else f"the variable {MIRROR_VARIABLE}:"
            raise InputError(f"{where} {given!r} is not a folder; correct the path")
        return folder.resolve()

    def cache_folder(self) -> Path:
        """Where verified raw files are kept."""
        return _expanded(self.cache).resolve() if self.cache else cache_home()


def _expanded(given: str) -> Path:
    try:
        return Path(given).expanduser()
    except RuntimeError:  # ~name of nobody
        raise InputError(f"{given!r} names the home of a user that is not known here; write the whole path") from None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name longer than the file system allows
        return False


def load_settings(config: Mapping[str, Any], registry: Registry, where: str = "workflow/config.yaml") -> Settings:
    """Validates the configuration and the names in it."""
    settings = parse(Settings, dict(config), where)
    if settings.scale not in registry.scales:
        raise InputError(f"{where}: `scale` {settings.scale!r} is unknown; known: {', '.join(registry.scales)}")
    for study in settings.studies or ():
        if study not in registry.studies and study not in registry.measurements:
            known = ", ".join(sorted([*registry.studies, *registry.measurements]))
            raise InputError(f"{where}: `studies` names {study!r}; known: {known}")
        if study in registry.measurements and settings.scale not in registry.measurements[study].scales:
            raise InputError(f"{where}: `studies` names {study!r}, whose card has no size for scale {settings.scale!r}")
    for name in ("studies", "seeds"):
        values = getattr(settings, name) or ()
        if len(set(values)) != len(values):
            raise InputError(f"{where}: `{name}` holds a duplicate; list each once")
    if settings.gpus is not None and settings.gpus < settings.gpus_per_run:
        raise InputError(
            f"{where}: `gpus_per_run` is {settings.gpus_per_run} and `gpus` {settings.gpus}; allow at least as many "
            "GPUs as one run takes"
        )
    settings.cache_folder()
    settings.mirror_folder()  # checked now, not hours later by the first job that fetches
    return settings
