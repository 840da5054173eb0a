"""### Order update

Every day at 17:00 UTC, by SMS, to everybody in `include/audiences/orders.csv`.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.workflows.campaign_dag import campaign_dag

dag = campaign_dag(
    "order_update",
    doc_md=__doc__,
    campaign=Campaign(
        campaign_id="order_update",
        audience="orders.csv",
        template="order_update",
        channel="messaging:sms",
        sender="+12025550100",
    ),
    schedule="0 17 * * *",
    occurrence_format="%Y-%m-%d",
    # Every order's message is alike: the text was agreed on when this file was reviewed.
    require_approval=False,
)
