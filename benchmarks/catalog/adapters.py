"""Which module asks a peer package for its answers: `kind` of a system card -> module that offers `open_peer`.

A table of names, so that planning needs no torch and a job imports a peer package only for its own systems.
"""

ADAPTERS = {
    "gliner_package": "benchmarks.peers.package_answering",
    "gliner2": "benchmarks.peers.gliner2_answering",
}
