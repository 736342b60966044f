"""What the server lets through, and what it answers."""

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import numpy as np
import pytest

from annotation.desk import Desk
from annotation.images import Images
from annotation.requests import MOST_BYTES
from annotation.serving import make_server
from annotation.session import Session

WORD = "the-token-of-a-test"
STROKE = {"kind": "paint", "number": 0, "lane": 0, "value": 1, "runs": [3, 4, 5]}


@pytest.fixture
def stranger(tissue: Path, session: Session) -> Iterator[httpx.Client]:
    """Somebody who found a server that runs for a test."""
    images = Images(tissue / "ilastik_img", tissue / "ilastik_crops", session)
    desk = Desk(tissue, session, images)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = make_server(desk, WORD, port)
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(stranger: httpx.Client) -> httpx.Client:
    """Somebody who opened the address that the terminal shows."""
    stranger.get("/", params={"token": WORD})
    stranger.headers["Origin"] = str(stranger.base_url)
    return stranger


def send(page: httpx.Client, *gestures: dict[str, object]) -> httpx.Response:
    body = {"client": "page-one", "gestures": gestures}
    return page.post("/api/gestures", json=body)


def test_the_token_becomes_a_cookie_that_other_sites_cannot_send(stranger: httpx.Client) -> None:
    answer = stranger.get("/", params={"token": WORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("address", ["/", "/?token=guess", "/api/state", "/page/index.html"])
def test_nobody_gets_anything_without_the_token(stranger: httpx.Client, address: str) -> None:
    answer = stranger.get(address)
    assert answer.status_code == 403
    assert "token" in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4711", "127.0.0.1.evil.example", ""]
)
def test_other_names_of_this_machine_are_refused(page: httpx.Client, host: str) -> None:
    """A page elsewhere can point its own name at 127.0.0.1 and then counts as the same origin."""
    assert page.get("/api/state", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:4711", "localhost:9000", "[::1]:4711", "127.0.0.1"])
def test_a_tunnel_may_end_at_another_port(page: httpx.Client, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert page.get("/api/state", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_requests_of_other_sites_are_refused(page: httpx.Client, headers: dict[str, str]) -> None:
    page.headers.update(headers)
    assert send(page, STROKE).status_code == 403
    assert page.get("/api/state").status_code == 403


def test_a_request_that_changes_something_says_where_it_comes_from(page: httpx.Client) -> None:
    del page.headers["Origin"]
    assert send(page, STROKE).status_code == 403
    assert page.get("/api/state", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_every_answer_has_a_strict_policy(page: httpx.Client) -> None:
    for address in ("/", "/api/state", "/nowhere", "/page/../app.py"):
        headers = page.get(address).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert page.get("/page/..%2fapp.py").status_code == 404


def test_a_stroke_is_kept_before_it_is_acknowledged(page: httpx.Client, project: Path) -> None:
    answer = send(page, STROKE, STROKE | {"number": 1, "value": 2, "runs": [7, 0, 9]})
    assert answer.json()["kept"] == 1
    assert answer.json()["lanes"]["0"] == {"1": 5, "2": 9, "3": 0}
    assert Session(project).board.totals()[1:3].tolist() == [5, 9]
    labels = page.get("/api/crops/0/labels")
    assert np.frombuffer(labels.content, np.uint8).reshape(160, 160)[3, 4:9].tolist() == [1] * 5


@pytest.mark.parametrize(
    "gesture",
    [
        STROKE | {"lane": 99},
        STROKE | {"value": 77},
        STROKE | {"value": 300},
        STROKE | {"runs": [1, 2]},
        STROKE | {"runs": [1, -2, 3]},
        STROKE | {"runs": [1e10, 2, 3]},
        STROKE | {"what": "else"},
        {"kind": "features", "number": 0, "features": {"ids": [], "scales": [], "matrix": []}},
        {
            "kind": "features",
            "number": 0,
            "features": {"ids": ["x"], "scales": [1], "matrix": [[1]]},
        },
        {"kind": "classes", "number": 0, "classes": []},
        {"kind": "dance", "number": 0},
    ],
)
def test_what_makes_no_sense_is_a_sentence(page: httpx.Client, gesture: dict[str, object]) -> None:
    answer = send(page, gesture)
    assert answer.status_code in {400, 409}
    assert answer.json()["problem"]
    assert page.get("/api/state").json()["revision"] == 0


def test_what_comes_in_is_bounded(page: httpx.Client) -> None:
    answer = page.post(
        "/api/gestures",
        content=b" " * (MOST_BYTES + 1),
        headers={"Content-Type": "application/json"},
    )
    assert "too large" in answer.json()["problem"]
    form = page.post("/api/save", content=b"{}", headers={"Content-Type": "text/plain"})
    assert "no JSON" in form.json()["problem"]
    assert page.get("/api/crops/0/picture?shown=" + "[" * 5000).status_code == 400


def test_pictures_and_pixels(page: httpx.Client) -> None:
    pixels = page.get("/api/crops/0/channels/1")
    assert len(pixels.content) == 4 * 160 * 160
    assert page.get("/api/crops/0/channels/9").status_code == 400
    shown = '[{"channel": 0, "color": [255, 0, 0], "low": 0, "high": 30}]'
    for address in ("/api/crops/0/picture", "/api/images/region_1/picture"):
        picture = page.get(address, params={"shown": shown, "edge": 64})
        assert picture.content.startswith(b"\x89PNG")
    for name in ("region_9", "..%2Fpixel_classifier"):
        assert page.get(f"/api/images/{name}/picture").status_code in {400, 404}
    limits = page.get("/api/channels/0/histogram").json()
    assert limits["from"] <= limits["low"] < limits["high"] <= limits["to"]


def test_a_crop_outside_of_its_image_is_refused(page: httpx.Client) -> None:
    images = page.get("/api/images").json()["images"]
    assert images[0] == {"name": "region_1", "size": [220, 260]}
    asked = {"image": "region_1", "y": 100, "x": 0, "size": 128}
    assert "no crop of 128 px" in page.post("/api/cut", json=asked).json()["problem"]


def test_saving_over_another_programs_work_is_refused(page: httpx.Client, project: Path) -> None:
    send(page, STROKE)
    content = project.read_bytes()
    project.write_bytes(content + b"\0")
    refused = page.post("/api/save", json={})
    assert refused.status_code == 409
    assert refused.json()["kind"] == "changed"
    project.write_bytes(content)
    assert page.post("/api/save", json={}).json()["has_classifier"] is False
