"""Readers of raw corpora, one module per family of formats; `benchmarks.corpora.formats` registers them by name."""
