"""What lets Airflow's Test button work for connections that have no port, as ours have none.

Airflow 3.3's list of connections sends port 0 where none is stored, takes 0 for another host than
the stored one, and answers "Bad Request" instead of testing. Where 0 is stored, it tests.
"""

from __future__ import annotations

from typing import Any

CONNECTION_TYPE = "genesys_cloud"


def store_port_zero() -> None:
    """Have this process store our connections with port 0, which means nothing to the hook."""
    from airflow.models.connection import Connection
    from sqlalchemy import event

    for moment in ("before_insert", "before_update"):
        if not event.contains(Connection, moment, _fill_port):
            event.listen(Connection, moment, _fill_port)


def _fill_port(_mapper: object, _database: object, connection: Any) -> None:
    if connection.conn_type == CONNECTION_TYPE and connection.port is None:
        connection.port = 0
