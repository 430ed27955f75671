"""Which module trains a run: value of the knob `optim.trainer` -> module that offers `train` as `gliner_core` does.

A table of names, so that planning needs no torch and a job imports a peer package only for its own runs.
"""

TRAINERS = {
    "gliner_core": "gliner_core.train",
    "gliner-0.2.29": "benchmarks.peers.package_training",
}
PARALLEL = {"gliner_core"}  # those that several processes can run together (`gliner_core.launch`)
