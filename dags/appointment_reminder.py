"""### Appointment reminder

Every weekday at 09:00 UTC, on WhatsApp, to everybody in `include/audiences/appointments.csv`.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.workflows.campaign_dag import campaign_dag

dag = campaign_dag(
    "appointment_reminder",
    doc_md=__doc__,
    campaign=Campaign(
        campaign_id="appointment_reminder",
        audience="appointments.csv",
        template="appointment_reminder",
        channel="messaging:whatsapp",
        sender="whatsapp:+12025550100",
    ),
    schedule="0 9 * * 1-5",
    occurrence_format="%Y-%m-%d",
    # Nobody sits there at 09:00: what is sent was agreed on when this file was reviewed.
    require_approval=False,
)
