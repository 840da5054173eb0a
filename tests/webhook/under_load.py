"""A sender of many events at once, which remembers what was answered 2xx."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import requests

from genesys_cloud.webhook.signature import HEADER, sign
from tests.simulator.server import PATIENCE_S
from tests.webhook.receiver import SECRET


class Sender:
    """Posts bodies from several threads; `results` has each body's answer, None for no answer."""

    def __init__(self, url: str, bodies: Sequence[bytes], *, threads: int = 8) -> None:
        self.results: list[str | None] = [None] * len(bodies)
        self._url, self._bodies = url, bodies
        self._next = iter(range(len(bodies)))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]
        self._answered = threading.Semaphore(0)
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until so many more answers have come."""
        for _ in range(count):
            assert self._answered.acquire(timeout=PATIENCE_S), "no answer comes"

    def finish(self) -> list[str | None]:
        """Wait until everything is sent, or nobody takes it any more."""
        for thread in self._threads:
            thread.join(PATIENCE_S)
        return self.results

    def _send(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (number := self._take()) is not None:
                body = self._bodies[number]
                try:
                    answer = session.post(
                        self._url,
                        data=body,
                        headers={HEADER: sign(body, SECRET)},
                        timeout=PATIENCE_S,
                    )
                except requests.RequestException:
                    return
                if answer.ok:
                    self.results[number] = answer.json()["result"]
                self._answered.release()

    def _take(self) -> int | None:
        with self._lock:
            return next(self._next, None)


def all_at_once(count: int, post: Callable[[], requests.Response]) -> list[str]:
    """Return the results of `count` posts that begin at the same moment."""
    barrier, results = threading.Barrier(count), []

    def run() -> None:
        barrier.wait(PATIENCE_S)
        results.append(post().json()["result"])

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return results
