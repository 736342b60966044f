"""Tell every open page what is new, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

MOST_WAITING = 500  # events that a page has not taken yet; then it has to ask for everything
STILL_S = 15.0  # after so long without news a page is told that all is well


class News:
    """Hands events of any thread to the pages that listen."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: set[asyncio.Queue[str]] = set()

    @property
    def n_pages(self) -> int:
        """How many pages listen."""
        return len(self._pages)

    def publish(self, kind: str, value: dict[str, Any]) -> None:
        """Tell all pages; from any thread."""
        text = f"event: {kind}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n"
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hand_out, text)

    async def listen(self) -> AsyncIterator[str]:
        """Yield events as text until the page goes."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._pages.add(queue)
        self._hand_out(_event("pages", {"open": self.n_pages}))
        try:
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), STILL_S)
                except TimeoutError:
                    yield ": all is well\n\n"
        finally:
            self._pages.discard(queue)
            self._hand_out(_event("pages", {"open": self.n_pages}))

    def _hand_out(self, text: str) -> None:
        for queue in list(self._pages):
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_event("reload", {}))
            else:
                queue.put_nowait(text)


def _event(kind: str, value: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(value)}\n\n"
