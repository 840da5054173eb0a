"""The platform's public API: agentless messages, their statuses, analytics, registrations."""
