"""Outbound messaging campaigns over Genesys Cloud on Apache Airflow 3."""
