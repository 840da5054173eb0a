"""Files that the platform offers for download: read line by line, from where it may be read.

The address comes from the API and may lead to another host, which gets no token. It has to be
https, or the API's own host, and so has every redirect.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from genesys_cloud.api.session import ApiSession
from genesys_cloud.errors import NotSentError, ServiceFailedError

LONGEST_LINE = 64 * 1024
_MOST_REDIRECTS = 3
_CHUNK = 64 * 1024


def lines(session: ApiSession, uri: str, what: str) -> Iterator[str]:
    """Yield the lines of a file in UTF-8, without keeping more than one.

    Raises NotSentError where it breaks off, which a second download may not; ServiceFailedError for
    an address that may not be read, a refusal, or what is no text.
    """
    with ExitStack() as stack:
        client = stack.enter_context(requests.Session())
        client.auth = _NoAuth()
        try:
            answer = stack.enter_context(_opened(session, client, uri, what))
            yield from _split(answer, what)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NotSentError(
                f"The download of {what} broke off ({type(error).__name__}). Run it again: what "
                "was read before holds."
            ) from error


def _opened(
    session: ApiSession, client: requests.Session, uri: str, what: str
) -> requests.Response:
    """Return the answer behind every redirect."""
    timeout = (session.account.timeout_s, session.account.timeout_s)
    uri = urljoin(session.hosts.api, uri)
    for _ in range(_MOST_REDIRECTS + 1):
        is_api = _origin(uri) == _origin(session.hosts.api)
        if not is_api and urlsplit(uri).scheme != "https":
            raise _failed(f"{what} is offered at an address that is neither https nor the API's.")
        token = {"Authorization": f"Bearer {session.auth.token().value}"} if is_api else {}
        answer = client.get(uri, headers=token, timeout=timeout, stream=True, allow_redirects=False)
        if answer.status_code == 200:
            return answer
        answer.close()
        if not answer.is_redirect:
            raise _failed(
                f"The download of {what} was refused with HTTP {answer.status_code}. Run it again; "
                "an offer to download does not hold for long.",
                status=answer.status_code,
            )
        uri = urljoin(uri, answer.headers["Location"])
    raise _failed(f"The download of {what} is redirected again and again.")


def _split(answer: requests.Response, what: str) -> Iterator[str]:
    rest = b""
    for chunk in answer.iter_content(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (_text(line, what) for line in whole)
        if len(rest) > LONGEST_LINE:
            raise _failed(f"The download of {what} is no text of lines.")
    if rest:
        yield _text(rest, what)


def _text(line: bytes, what: str) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _failed(f"The download of {what} is no text in UTF-8.") from None


def _origin(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.scheme, parts.netloc.lower()


def _failed(sentence: str, status: int = 200) -> ServiceFailedError:
    return ServiceFailedError(sentence, status=status)


class _NoAuth(AuthBase):
    """Keeps the machine's netrc out of a request to an address that the API gave."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
