"""The agentless profile's endpoints, each with the permissions that the platform asks for."""

from __future__ import annotations

from genesys_cloud.simulator.agentless import (
    account,
    analytics,
    dnc_api,
    jobs_api,
    messages,
    registrations,
)
from genesys_cloud.simulator.agentless.permissions import a_token, every, some
from genesys_cloud.simulator.routing import Route

_MESSAGES = "/api/v2/conversations/messages"
_DETAILS = "/api/v2/analytics/conversations/details"
_DNC = "/api/v2/outbound/dnclists"
_OPEN = "/api/v2/conversations/messaging/integrations/open"
_INTEGRATIONS = "/api/v2/integrations"
_TRIGGERS = "/api/v2/processautomation/triggers"

_SEND = every("conversation:message:create")
_VIEW = some("conversation:message:view", "conversation:webmessaging:view")
_ANALYSE = some("analytics:conversationDetail:view", "analytics:agentConversationDetail:view")
_LISTS, _EXPORT = some("outbound:dncList:view"), every("outbound:dnc:view", "outbound:dncList:view")
_TRIGGER_VIEW = some("processautomation:trigger:edit", "processautomation:trigger:view")

ROUTES = {
    f"POST {_MESSAGES}/agentless": Route("agentless", _SEND, messages.send, 202),
    f"GET {_MESSAGES}/{{id}}": Route("details", a_token, messages.conversation),
    f"GET {_MESSAGES}/{{id}}/details": Route("details", _VIEW, messages.details),
    f"GET {_MESSAGES}/{{id}}/messages/{{id}}": Route("details", _VIEW, messages.in_conversation),
    f"POST {_MESSAGES}/{{id}}/messages/bulk": Route("details", _VIEW, messages.bulk),
    f"POST {_DETAILS}/query": Route("analytics", _ANALYSE, analytics.query),
    "GET /api/v2/analytics/conversations/{id}/details": Route(
        "analytics", _ANALYSE, analytics.show
    ),
    f"POST {_DETAILS}/jobs": Route("job", _ANALYSE, jobs_api.create, 202),
    f"GET {_DETAILS}/jobs/availability": Route(
        "job", some("analytics:conversationDetail:view"), jobs_api.availability
    ),
    f"GET {_DETAILS}/jobs/{{id}}": Route("job", _ANALYSE, jobs_api.show),
    f"DELETE {_DETAILS}/jobs/{{id}}": Route("job", _ANALYSE, jobs_api.cancel, 204),
    f"GET {_DETAILS}/jobs/{{id}}/results": Route("job", _ANALYSE, jobs_api.results),
    "GET /api/v2/organizations/limits/namespaces/{id}": Route("limits", a_token, account.limits),
    "GET /api/v2/responsemanagement/responses/{id}": Route(
        "responses", some("responses:response:view"), account.response
    ),
    f"GET {_DNC}": Route("dnc", _LISTS, dnc_api.show_all),
    f"POST {_DNC}": Route("dnc", some("outbound:dncList:add"), dnc_api.create),
    f"GET {_DNC}/{{id}}": Route("dnc", _LISTS, dnc_api.show),
    f"POST {_DNC}/{{id}}/export": Route("dnc", _EXPORT, dnc_api.start_export),
    f"GET {_DNC}/{{id}}/export": Route("dnc", _EXPORT, dnc_api.show_export),
    "GET /api/v2/downloads/{id}": Route("dnc", a_token, dnc_api.download),
    f"POST {_DNC}/{{id}}/phonenumbers": Route(
        "dnc", some("outbound:dnc:add"), dnc_api.add_numbers, 204
    ),
    f"PATCH {_DNC}/{{id}}/phonenumbers": Route(
        "dnc", some("outbound:dnc:edit"), dnc_api.change_numbers, 204
    ),
    f"POST {_OPEN}": Route(
        "integrations", every("messaging:integration:add"), registrations.create_open
    ),
    f"GET {_OPEN}": Route(
        "integrations", every("messaging:integration:view"), registrations.list_open
    ),
    f"GET {_OPEN}/{{id}}": Route(
        "integrations", every("messaging:integration:view"), registrations.show_open
    ),
    f"PATCH {_OPEN}/{{id}}": Route(
        "integrations", every("messaging:integration:edit"), registrations.change_open
    ),
    f"DELETE {_OPEN}/{{id}}": Route(
        "integrations", every("messaging:integration:delete"), registrations.delete_open, 204
    ),
    f"POST {_INTEGRATIONS}": Route(
        "integrations", some("integrations:integration:add"), registrations.create_integration
    ),
    f"GET {_INTEGRATIONS}": Route(
        "integrations", some("integrations:integration:view"), registrations.list_integrations
    ),
    f"GET {_INTEGRATIONS}/{{id}}": Route(
        "integrations", some("integrations:integration:view"), registrations.show_integration
    ),
    f"PATCH {_INTEGRATIONS}/{{id}}": Route(
        "integrations", some("integrations:integration:edit"), registrations.intend_integration
    ),
    f"DELETE {_INTEGRATIONS}/{{id}}": Route(
        "integrations", some("integrations:integration:delete"), registrations.delete_integration
    ),
    f"GET {_INTEGRATIONS}/{{id}}/config/current": Route(
        "integrations", some("integrations:integration:view"), registrations.show_config
    ),
    f"PUT {_INTEGRATIONS}/{{id}}/config/current": Route(
        "integrations", some("integrations:integration:edit"), registrations.replace_config
    ),
    f"POST {_TRIGGERS}": Route(
        "integrations", some("processautomation:trigger:add"), registrations.create_trigger
    ),
    f"GET {_TRIGGERS}": Route("integrations", _TRIGGER_VIEW, registrations.list_triggers),
    f"GET {_TRIGGERS}/topics": Route("integrations", _TRIGGER_VIEW, registrations.list_topics),
    f"GET {_TRIGGERS}/{{id}}": Route("integrations", _TRIGGER_VIEW, registrations.show_trigger),
    f"DELETE {_TRIGGERS}/{{id}}": Route(
        "integrations", some("processautomation:trigger:delete"), registrations.delete_trigger, 204
    ),
}
