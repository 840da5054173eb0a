"""A real SMTP server on loopback, and what it was handed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from airflow.sdk import BaseNotifier


class Hanging(BaseNotifier):
    """A notifier whose server never answers."""

    def notify(self, context: Any) -> None:
        """Wait for ever."""
        while True:
            time.sleep(60)


@dataclass(kw_only=True)
class MailServer:
    """Takes every mail while `answer` is None, and gives that answer otherwise."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    answer: str | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take one mail."""
        if self.answer is not None:
            return self.answer
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        """What each mail is about."""
        return [str(mail["Subject"]) for mail in self.mails]

    @property
    def connection(self) -> str:
        """The Airflow connection that leads here, as its environment variable holds it."""
        extra = {"disable_tls": True, "disable_ssl": True, "timeout": 60, "retry_limit": 0}
        described = {"conn_type": "smtp", "host": "127.0.0.1", "port": self.port, "extra": extra}
        return json.dumps(described)


def body(mail: EmailMessage) -> str:
    """Return a mail's HTML."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # it knocks at the port it was given: 0
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Serve until the block ends."""
    server = MailServer()
    controller = _AnyPort(server, hostname="127.0.0.1", port=0, ready_timeout=60)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


RULES = """\
dated = 2026-11-23

[mail]
on = ["campaign_finished", "campaign_paused", "campaign_failed", "report_incomplete"]
notifier = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"

[mail.with]
smtp_conn_id = "smtp_default"
from_email = "campaigns@example.com"
to = ["operations@example.com"]
subject = "{{ notice.title }}"
html_content = "{{ notice.html }}"
"""
"""The example of include/policies/notifications.toml, in force."""
