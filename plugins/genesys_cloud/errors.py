"""What can go wrong, as one tree; a branch says what to do next.

CampaignError
 ├── ConfigurationError          somebody must change something; trying again is no use
 │    ├── ConnectionSettingsError    the Airflow connection or an environment variable
 │    ├── CampaignDefinitionError    a Param or a campaign file
 │    ├── TemplateError              a template that is missing or does not parse
 │    ├── AudienceError              a contact list that can't be read at all
 │    ├── LedgerSchemaError          the ledger is older or newer than this code
 │    ├── RetentionPolicyError       the policy file can't be read, or is not clear
 │    ├── PolicyError                the same of any other policy; nothing is decided on a guess
 │    ├── ExportTargetError          the place for exports can't be written
 │    └── ReceiverCheckError         the receiver's address does not answer as a receiver
 │         └── ReceiverSilentError      the same, and nothing at all answers there
 ├── ApiError                    Genesys Cloud answered, and the answer is no
 │    ├── AuthenticationError        401: credentials or region are wrong
 │    │    └── TokenRefusedError       the same, though the login host has just granted the token
 │    ├── PermissionDeniedError      403: a scope or a role is missing
 │    ├── EndpointMissingError       404 on a contract path: wrong host or profile
 │    ├── ThrottledError             429: wait `retry_after` seconds, then go on
 │    ├── RequestRejectedError       400 and its like: this message will never go out
 │    └── ServiceFailedError         5xx on a read, after all attempts
 ├── NotSentError                no byte of the request left: safe to try again
 ├── OutcomeUnknownError         bytes left and no clear answer came: never send again blindly
 ├── StillSendingError           a message to this person is in flight: ask again afterwards
 ├── LeaseLostError              another worker owns these messages now: stop, write nothing
 ├── LedgerUnavailableError      the ledger database does not answer: try again later
 ├── PlanningInterruptedError    a process of the planning was killed: plan again
 ├── PlanOvertakenError          another run plans the same occurrence by now: leave it to that one
 ├── NotApprovedError            nobody has approved this very plan: nothing is sent by it
 ├── AnswerRefusedError          an approval that does not count: ask again
 ├── PagingError                 a paged list contradicts itself or its own total
 ├── IncompleteExportError       fewer rows than the API counts: the old partition stays
 └── UnaccountedError            recipients without a final state: the run has failed
"""

from __future__ import annotations


class CampaignError(Exception):
    """An error whose message says what happened, to what, and what to do."""


class ConfigurationError(CampaignError):
    """Something has to be changed by a person; trying again is no use."""


class ConnectionSettingsError(ConfigurationError):
    """The Airflow connection or the environment does not describe a usable account."""


class CampaignDefinitionError(ConfigurationError):
    """A Param or a campaign file holds a value that no run can use."""


class TemplateError(ConfigurationError):
    """A template is missing, does not parse, or has no usable language."""


class AudienceError(ConfigurationError):
    """A contact list can't be read at all."""


class LedgerSchemaError(ConfigurationError):
    """The ledger's schema is older or newer than this code."""


class RetentionPolicyError(ConfigurationError):
    """The retention policy can't be read or is not clear; nothing is deleted on a guess."""


class PolicyError(ConfigurationError):
    """A policy can't be read or is not clear; nothing is decided on a guess."""


class ExportTargetError(ConfigurationError):
    """The place where exports go can't be written."""


class ReceiverCheckError(ConfigurationError):
    """The receiver's address does not answer, or not as this project's receiver does."""


class ReceiverSilentError(ReceiverCheckError):
    """No answer came from the receiver's address, from this machine at least."""


class ApiError(CampaignError):
    """Genesys Cloud answered with an error.

    `status` is the HTTP status; `correlation_id` is what Genesys support asks for, or None.
    """

    def __init__(self, message: str, *, status: int, correlation_id: str | None = None) -> None:
        suffix = f" (HTTP {status}, correlation id {correlation_id or 'not given'})"
        super().__init__(message + suffix)
        self.status = status
        self.correlation_id = correlation_id


class AuthenticationError(ApiError):
    """The client id, the secret or the region is wrong, or the token was refused twice."""


class TokenRefusedError(AuthenticationError):
    """The API refused a token that the login host had just granted: the wrong region, or a while
    in which the platform's hosts disagree."""


class PermissionDeniedError(ApiError):
    """The OAuth client lacks a scope, or its role lacks a permission."""


class EndpointMissingError(ApiError):
    """The host does not serve this contract's path."""


class ThrottledError(ApiError):
    """The rate limit was exceeded; `retry_after` is seconds to wait, None when not said."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        correlation_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status, correlation_id=correlation_id)
        self.retry_after = retry_after


class RequestRejectedError(ApiError):
    """The request was understood and refused; the same request will be refused again.

    `code` is the reason where it has a name of its own, such as `active_conversation`.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        correlation_id: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, status=status, correlation_id=correlation_id)
        self.code = code


class ServiceFailedError(ApiError):
    """Genesys Cloud failed to answer a read, after all attempts."""


class NotSentError(CampaignError):
    """The connection failed before a byte of the request left; trying again is safe."""


class OutcomeUnknownError(CampaignError):
    """The request left and no clear answer came back; only a look-up can settle it."""


class StillSendingError(CampaignError):
    """A message is in flight, so that nobody can say yet what is to be erased."""


class LeaseLostError(CampaignError):
    """The lease ran out or a newer fence exists: another worker owns these messages."""


class LedgerUnavailableError(CampaignError):
    """The ledger database does not answer."""


class PlanningInterruptedError(CampaignError):
    """A planning lost one of its processes; nothing was sent, and a new one does it all."""


class PlanOvertakenError(CampaignError):
    """Another run began to plan the occurrence before this one had done so."""


class NotApprovedError(CampaignError):
    """Nobody has approved a plan, or not as it is now; nothing is sent by it.

    `reason` is one word for the audit trail, None where another entry says it.
    """

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class AnswerRefusedError(CampaignError):
    """An approval came from nobody, or from somebody who may not give it."""


class PagingError(CampaignError):
    """A paged list repeats itself or never ends."""


class IncompleteExportError(CampaignError):
    """The rows collected are fewer than the API's own total."""


class UnaccountedError(CampaignError):
    """Some recipients of a run are in no final state."""
