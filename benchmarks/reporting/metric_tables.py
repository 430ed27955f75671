"""Metrics of many runs straight from the tables of an MLflow database.

MLflow's own search builds an object of every parameter, tag and metric of a run; this reads four columns. The names are
those of MLflow's schema (mlflow.store.tracking.dbmodels.models), and a test holds both ways against each other.
"""

import math
from collections.abc import Sequence

from sqlalchemy import bindparam, create_engine, text
from sqlalchemy.pool import NullPool

IDS_A_QUERY = 500
KNOWN = "select run_uuid from runs where run_uuid in :ids"
LATEST = "select run_uuid, key, value, is_nan from latest_metrics where run_uuid in :ids"


def log_in(address: str) -> None:
    """Opens a connection and closes it; an SQLAlchemyError says why that is not possible."""
    create_engine(address, poolclass=NullPool).connect().close()


def metrics_by_table(address: str, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Run id -> latest value of every metric; unknown runs are left out, removed ones are not."""
    known, latest = (text(query).bindparams(bindparam("ids", expanding=True)) for query in (KNOWN, LATEST))
    engine = create_engine(address, poolclass=NullPool)
    found: dict[str, dict[str, float]] = {}
    with engine.connect() as connection:
        for start in range(0, len(run_ids), IDS_A_QUERY):
            ids = {"ids": list(run_ids[start : start + IDS_A_QUERY])}
            found |= {run_id: {} for (run_id,) in connection.execute(known, ids)}
            for run_id, key, value, is_nan in connection.execute(latest, ids):
                found[run_id][key] = math.nan if is_nan else value
    return found
