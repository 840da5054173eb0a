"""### Send a campaign

Start it from the form: it plans the audience, shows what would go out, asks for approval, sends at
the allowed rate and ends with a table of where every recipient stands. `dry_run` is on until you
turn it off. Starting the same campaign again continues it; nobody gets a message twice.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from genesys_cloud.workflows.campaign_dag import campaign_dag

dag = campaign_dag("send_campaign", doc_md=__doc__)
