# What the rules of training, prediction and analyses read and are called with.


def start_of(wildcards):
    """Model and receipt of the run that a training starts from, if any."""
    start = GRID.runs[wildcards.run].spec.start
    return [f"{HOME}/runs/{start}/{name}" for name in ("model", "receipt.json")] if start else []


def train_processes(wildcards):
    """Processes of one training."""
    return SPACE.processes(wildcards.run)


def train_gpus(wildcards):
    """GPUs of one training, one for each process."""
    return gpu_count(wildcards) * train_processes(wildcards)


def adapter(wildcards):
    """The module that asks a peer package, where the owner is such a system."""
    system = CARDS.systems.get(wildcards.owner)
    return [ADAPTERS[system.kind]] if system and system.kind in ADAPTERS else []


def analysis_input(wildcards):
    """Results that an analysis reads."""
    study, reads = wildcards.study, ANALYSES[wildcards.analysis].reads
    runs = [owner for owner in study_owners(study) if owner in GRID.runs]
    suites = used_suites([study])
    wanted = {
        "scores": lambda: scored(study_owners(study)),
        "cells": lambda: [f"{HOME}/studies/{study}/cells.csv"],
        "differences": lambda: [f"{HOME}/studies/{study}/differences.csv"],
        "costs": lambda: [f"{HOME}/studies/{study}/costs.csv"],
        "models": lambda: [f"{HOME}/runs/{run}/model" for run in runs],
        "mixture": lambda: sorted({str(SPACE.mixture(GRID.runs[run].spec.data.name)) for run in runs}),
        "data": lambda: test_folders(suites),
    }
    return [path for kind in reads for path in wanted[kind]()]


def analysed(studies, *names):
    """These files of every analysis of some studies."""
    return [
        f"{HOME}/studies/{study}/{analysis}/{name}"
        for study in studies
        for analysis in CARDS.studies[study].analyses
        for name in names
    ]
