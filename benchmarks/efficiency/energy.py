"""Energy counters of the machine, where they can be read: NVML for a GPU, RAPL for the packages of a CPU.

Both count everything that the device does, a neighbour's work included. NVML's counter moves some ten times a second,
so only what lasts a second or longer is worth reading. NVML is called through the driver's own library, because no
package of this project brings it.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.efficiency.timing import Joules

POWERCAP = Path("/sys/class/powercap")
NVML = "libnvidia-ml.so.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """`source` names the counter or, where `joules` is None, says why there is none."""

    source: str
    joules: Joules | None = None


def find_meter(device: torch.device) -> Meter:
    """The counter of the device that does the work."""
    return _nvml_meter(device) if device.type == "cuda" else rapl_meter(POWERCAP)


def rapl_meter(folder: Path) -> Meter:
    """All processor packages below `folder`, without the parts that they count already."""
    zones = [zone for zone in sorted(folder.glob("*-rapl:*")) if zone.name.count(":") == 1]
    try:
        counters = [_wrapping(zone) for zone in zones]
    except OSError as error:
        return Meter(source=f"n/a: the counters below {folder} cannot be read ({error.strerror})")
    if not counters:
        return Meter(source=f"n/a: no RAPL counter below {folder}")
    return Meter(source="RAPL, all packages", joules=lambda: sum(counter() for counter in counters))


def _wrapping(zone: Path) -> Joules:
    """Joules since now of one package; its counter of microjoules begins again at a limit."""
    limit = int((zone / "max_energy_range_uj").read_text())
    last, total = int((zone / "energy_uj").read_text()), 0

    def joules() -> float:
        nonlocal last, total
        now = int((zone / "energy_uj").read_text())
        total += now - last if now >= last else now - last + limit
        last = now
        return total / 1e6

    return joules


def _nvml_meter(device: torch.device) -> Meter:
    try:
        library = ctypes.CDLL(NVML)
    except OSError:
        return Meter(source=f"n/a: the driver's library {NVML} is not there")
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    return nvml_meter(library, uuid if uuid.startswith("GPU-") else f"GPU-{uuid}")


def nvml_meter(library: Any, uuid: str) -> Meter:
    """The energy counter of one GPU by NVML's C interface; status 0 means success."""
    handle = ctypes.c_void_p()
    if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(handle)):
        return Meter(source=f"n/a: NVML does not open {uuid}")
    read = _millijoules(library, handle)
    if read() is None:
        return Meter(source=f"n/a: NVML counts no energy of {uuid}")
    return Meter(source="NVML, the whole GPU", joules=lambda: (read() or 0) / 1e3)


def _millijoules(library: Any, handle: ctypes.c_void_p) -> Callable[[], int | None]:
    def read() -> int | None:
        value = ctypes.c_ulonglong()
        failed = library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(value))
        return None if failed else value.value

    return read
