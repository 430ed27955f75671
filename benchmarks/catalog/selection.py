"""Refuses protocols that read more from a peer's answers than the peer leaves in them.

A model of `gliner` that tags words is decoded by its own package, flat. Scored under a nested protocol its file would
give flat answers under another name.
"""

from pathlib import Path

from benchmarks.catalog.cards import ProtocolCard, SystemCard
from benchmarks.catalog.grid import Grid
from benchmarks.catalog.registry import Registry
from gliner_core.errors import InputError
from gliner_core.files import read_json

DECODING = "flat"  # of the package, see peers/package_answering.py
DECODES_ITSELF = "gliner_package"  # the kind whose models may; `gliner2` always hands over all candidates
TOKEN_LEVEL = "token_level"  # its models that score no spans


def check_decoded(system: str, protocol: ProtocolCard) -> None:
    """Refuses a protocol with overlap for a system whose package has decoded its answers."""
    if protocol.overlap != DECODING:
        raise InputError(
            f"the package of {system} decodes its answers itself, without overlap, so they cannot be scored under "
            f"{protocol.name!r} (`overlap: {protocol.overlap}`); choose a protocol with `overlap: {DECODING}`"
        )


def check_systems(registry: Registry, grid: Grid) -> None:
    """The same for all systems of a plan, before anything is asked; `InputError` names the study.

    What a model on the hub does is known when it is opened, so there a protocol with overlap is refused unseen.
    """
    for row in grid.rows:
        card = registry.systems.get(row.owner)
        if card is None or not _may_decode(card):
            continue
        protocol = registry.protocols[row.protocol]
        if protocol.overlap != DECODING:
            raise InputError(
                f"benchmarks/studies/{row.study}.yaml: the system {row.owner!r} may be decoded by its own package, "
                f"without overlap, and {protocol.name!r} wants `overlap: {protocol.overlap}`; take one of them out, or "
                "give the system as a `folder` with a model that scores spans"
            )


def _may_decode(card: SystemCard) -> bool:
    if card.kind != DECODES_ITSELF:
        return False
    config = Path(str(card.folder)) / "gliner_config.json"
    return not config.is_file() or read_json(config).get("span_mode", TOKEN_LEVEL) == TOKEN_LEVEL
