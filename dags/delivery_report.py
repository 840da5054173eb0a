"""### Delivery report

Every day, for the UTC day before: pages through what Genesys lists, and writes Parquet, CSV, JSON
lines, figures, a manifest and an HTML report to `deliveries/date=YYYY-MM-DD/` of the export target.
A run for a day replaces that day, so it can be repeated and backfilled in any order:
`airflow backfill create --dag-id delivery_report --from-date … --to-date …`.

A scheduled run fetches the `refresh_days` days before as well, for deliveries that came late. Where
one of those fails, the run fails and says which; its own day stands all the same.

By hand, give `date`.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from genesys_cloud.workflows.report_tasks import earlier_days, export, refresh

with DAG(
    "delivery_report",
    # A bare cron string would give intervals of no width.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    # Before the first message of anybody: Airflow passes over days before it without a word.
    start_date=datetime(2015, 1, 1, tzinfo=UTC),
    catchup=False,
    params={
        "date": Param(
            None,
            type=["null", "string"],
            format="date",
            description_md="The UTC day to report. Empty: the run's data interval.",
        ),
        "allow_incomplete": Param(
            False,
            type="boolean",
            description_md="Report a day that has not ended; a later run completes it.",
        ),
        "refresh_days": Param(
            3,
            type="integer",
            minimum=0,
            maximum=30,
            description_md="Scheduled runs only: days before to fetch once more.",
        ),
        "profile": Param(
            None,
            type=["null", "string"],
            # An enum with null in it would show the word null.
            pattern="^(auto|messaging|agentless)$",
            examples=["auto", "messaging", "agentless"],
            description_md="Empty: the connection's API profile.",
        ),
    },
    doc_md=__doc__,
    tags=["genesys", "report"],
    default_args={"owner": "campaigns"},
) as dag:
    export()
    refresh.expand(day=earlier_days())
