"""The web application: addresses, and what each answers."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from annotation.desk import Desk
from annotation.errors import BadRequestError, JournalNotWrittenError, ProjectChangedError
from annotation.pictures import SHOWN, Shown, draw, shrink, step_for
from annotation.requests import Cut, Gestures, Nothing, Pause, Show, read_request
from annotation.safety import Guard
from ilpix.errors import DiskFullError, FolderNotWritableError, IlpixError

PAGE = Path(__file__).with_name("page")
_MOST_PICTURE_PX = 768
Handler = Callable[[Request], Awaitable[Response]]


def make_app(desk: Desk, token: str, port: int) -> ASGIApp:
    """Make the application of a desk.

    Args:
        desk: what it shows.
        token: opens it; see `annotation.safety`.
        port: that it is served on.
    """
    addresses = Addresses(desk)
    routes = [
        Route("/", addresses.page),
        Route("/api/state", addresses.state),
        Route("/api/events", addresses.events),
        Route("/api/gestures", addresses.gestures, methods=["POST"]),
        Route("/api/show", addresses.show, methods=["POST"]),
        Route("/api/pause", addresses.pause, methods=["POST"]),
        Route("/api/crops/{lane:int}/channels/{channel:int}", addresses.channel),
        Route("/api/crops/{lane:int}/labels", addresses.labels),
        Route("/api/crops/{lane:int}/prediction", addresses.prediction),
        Route("/api/crops/{lane:int}/picture", addresses.crop_picture),
        Route("/api/channels/{channel:int}/histogram", addresses.histogram),
        Route("/api/images", addresses.images),
        Route("/api/images/{name}/picture", addresses.image_picture),
        Route("/api/cut", addresses.cut, methods=["POST"]),
        Route("/api/save", addresses.save, methods=["POST"]),
        Route("/api/continue", addresses.save_and_continue, methods=["POST"]),
        Route("/api/takeover", addresses.take_over, methods=["POST"]),
        Mount("/page", StaticFiles(directory=PAGE)),
    ]
    handlers: Any = {IlpixError: _tell_problem}
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Guard(app, token, port)


class Addresses:
    """Answers requests about one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, _: Request) -> Response:
        """The page itself."""
        return FileResponse(PAGE / "index.html")

    async def state(self, _: Request) -> Response:
        """All that a page needs to begin."""
        return JSONResponse(await run_in_threadpool(self._desk.state))

    async def events(self, _: Request) -> Response:
        """What is new, as it happens."""
        return StreamingResponse(self._desk.news.listen(), media_type="text/event-stream")

    async def gestures(self, request: Request) -> Response:
        """What a person did; on disk when this answers."""
        asked = await read_request(request, Gestures)
        return JSONResponse(await run_in_threadpool(self._desk.take, asked.client, asked.gestures))

    async def show(self, request: Request) -> Response:
        """A page shows another crop."""
        asked = await read_request(request, Show)
        self._desk.live.show(asked.client, self._desk.session.require_lane(asked.lane))
        return JSONResponse({})

    async def pause(self, request: Request) -> Response:
        """Stop answering strokes, or answer again."""
        asked = await read_request(request, Pause)
        self._desk.live.pause(is_paused=asked.is_paused)
        return JSONResponse({})

    async def channel(self, request: Request) -> Response:
        """The pixels of one channel of a crop, float32."""
        pixels = await run_in_threadpool(self._desk.session.crops.pixels, self._lane(request))
        channel = request.path_params["channel"]
        if channel >= len(pixels):
            raise BadRequestError(f"there is no channel {channel}")
        return _binary(pixels[channel].tobytes(), {"size": pixels.shape[1:]})

    async def labels(self, request: Request) -> Response:
        """The labels of a crop, a byte a pixel."""
        labels, revision = await run_in_threadpool(self._desk.labels, self._lane(request))
        return _binary(labels.tobytes(), {"revision": revision, "size": labels.shape})

    async def prediction(self, request: Request) -> Response:
        """The last prediction of a crop: a plane a class, and the most probable class."""
        answer = self._desk.live.answer(self._lane(request))
        if answer is None:
            return Response(status_code=204)
        facts = {
            "revision": answer.revision,
            "trees": answer.trees,
            "is_final": answer.is_final,
            "ids": answer.ids,
            "size": answer.classes.shape,
        }
        return _binary(answer.probabilities.tobytes() + answer.classes.tobytes(), facts)

    async def crop_picture(self, request: Request) -> Response:
        """A crop as a small picture."""
        shown, edge = _shown(request)
        lane = self._lane(request)

        def make() -> bytes:
            pixels = self._desk.session.crops.pixels(lane)
            return draw(shrink(pixels, step_for(pixels.shape, edge)), shown)

        return _png(await run_in_threadpool(make))

    async def histogram(self, request: Request) -> Response:
        """How bright a channel is."""
        channel = request.path_params["channel"]
        if channel >= self._desk.session.project.lanes[0].n_channels:
            raise BadRequestError(f"there is no channel {channel}")
        return JSONResponse(await run_in_threadpool(self._desk.histogram, channel))

    async def images(self, _: Request) -> Response:
        """The prepared images."""
        return JSONResponse({"images": await run_in_threadpool(self._desk.images.list)})

    async def image_picture(self, request: Request) -> Response:
        """A prepared image at low resolution."""
        shown, _ = _shown(request)
        name = request.path_params["name"]
        return _png(await run_in_threadpool(lambda: draw(self._desk.images.overview(name), shown)))

    async def cut(self, request: Request) -> Response:
        """Cut a new crop."""
        asked = await read_request(request, Cut)
        place = (asked.image, asked.y, asked.x, asked.size)
        return JSONResponse({"lane": await run_in_threadpool(self._desk.cut, *place)})

    async def save(self, request: Request) -> Response:
        """Write everything into the project."""
        await read_request(request, Nothing)
        saved = await run_in_threadpool(self._desk.save)
        backup = saved.backup and saved.backup.name
        return JSONResponse({"backup": backup, "has_classifier": saved.has_classifier})

    async def save_and_continue(self, request: Request) -> Response:
        """Save, and let the run that waits go on."""
        await read_request(request, Nothing)
        run = await run_in_threadpool(self._desk.save_and_continue)
        return JSONResponse({"run": run.name})

    async def take_over(self, request: Request) -> Response:
        """Take over what another program wrote into the project."""
        await read_request(request, Nothing)
        await run_in_threadpool(self._desk.take_over)
        return JSONResponse({})

    def _lane(self, request: Request) -> int:
        return self._desk.session.require_lane(request.path_params["lane"])


def _tell_problem(_: Request, error: Exception) -> Response:
    kind = "bad" if isinstance(error, BadRequestError) else "refused"
    if isinstance(error, ProjectChangedError):
        kind = "changed"
    if isinstance(error, JournalNotWrittenError | DiskFullError | FolderNotWritableError):
        kind = "disk"  # the same may be asked again
    code = {"bad": 400, "disk": 507}.get(kind, 409)
    return JSONResponse({"problem": str(error), "kind": kind}, code)


def _binary(content: bytes, facts: dict[str, Any]) -> Response:
    headers = {"X-Facts": json.dumps(facts)}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _png(content: bytes) -> Response:
    headers = {"Cache-Control": "private, max-age=60"}
    return Response(content, media_type="image/png", headers=headers)


def _shown(request: Request) -> tuple[tuple[Shown, ...], int]:
    try:
        shown = SHOWN.validate_json(request.query_params.get("shown", "[]")[:2000])
        edge = int(request.query_params.get("edge", _MOST_PICTURE_PX))
    except (ValidationError, ValueError) as error:
        raise BadRequestError("the channels of a picture cannot be understood") from error
    return shown, min(max(edge, 16), _MOST_PICTURE_PX)
