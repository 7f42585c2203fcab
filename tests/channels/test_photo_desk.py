from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from bot.channels.photo import MOST_BYTES, PhotoDesk
from bot.errors import PhotoError
from bot.network import Fetcher


def drawn(colour: str = "navy", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(out, kind)
    return out.getvalue()


class Gallery:
    """Serves pictures and counts who asks for them; answers wait for `open`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.visited, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.pictures: dict[str, bytes] = {"/a.png": drawn(), "/page": b"<html>", "/big": b"\0" * (MOST_BYTES + 1)}
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        self.visited.set()
        await self.open.wait()
        if request.path not in self.pictures:
            raise web.HTTPNotFound
        return web.Response(body=self.pictures[request.path], content_type="image/png")


@pytest.fixture
async def gallery() -> AsyncIterator[Gallery]:
    served = Gallery()
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    served.open.set()
    await runner.cleanup()


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(allow_private=(ip_network("127.0.0.0/8"),), timeout=5) as opened:
        yield opened


async def test_four_channels_that_ask_at_once_cost_one_fetch(gallery: Gallery, fetcher: Fetcher) -> None:
    async with PhotoDesk(fetcher) as desk:
        photos = await asyncio.gather(*(desk.get(f"{gallery.url}/a.png") for _ in range(4)))
        photos.append(await desk.get(f"{gallery.url}/a.png"))
    assert gallery.asked == ["/a.png"]
    assert len({id(photo) for photo in photos}) == 1
    assert Image.open(io.BytesIO(photos[0].jpeg)).format == "JPEG"


async def test_one_who_stops_waiting_does_not_take_the_photo_from_the_others(
    gallery: Gallery, fetcher: Fetcher
) -> None:
    gallery.open.clear()
    async with PhotoDesk(fetcher) as desk:
        impatient = asyncio.create_task(desk.get(f"{gallery.url}/a.png"))
        patient = asyncio.create_task(desk.get(f"{gallery.url}/a.png"))
        await gallery.visited.wait()
        impatient.cancel()
        gallery.open.set()
        assert (await patient).width == 300
        assert gallery.asked == ["/a.png"]


async def test_only_so_many_photos_are_kept(gallery: Gallery, fetcher: Fetcher) -> None:
    for name in "abc":
        gallery.pictures[f"/{name}.png"] = drawn()
    async with PhotoDesk(fetcher, keep=2) as desk:
        for name in "abcbca":
            await desk.get(f"{gallery.url}/{name}.png")
    assert gallery.asked == ["/a.png", "/b.png", "/c.png", "/a.png"]


async def test_a_failure_is_told_in_one_line_and_tried_anew_by_the_next(gallery: Gallery, fetcher: Fetcher) -> None:
    async with PhotoDesk(fetcher) as desk:
        for path, words in (("/none.png", "404"), ("/page", "no picture of a known format"), ("/big", "larger than")):
            with pytest.raises(PhotoError, match=words) as failed:
                await desk.get(gallery.url + path)
            assert gallery.url + path in str(failed.value)
            assert "\n" not in str(failed.value)
        gallery.pictures["/none.png"] = drawn()
        assert (await desk.get(f"{gallery.url}/none.png")).width == 300


async def test_a_photo_on_a_private_address_is_not_fetched() -> None:
    async with Fetcher(timeout=2) as guarded, PhotoDesk(guarded) as desk:
        with pytest.raises(PhotoError, match="not a public address"):
            await desk.get("http://127.0.0.1:9/a.png")


async def test_a_file_is_read_only_from_inside_a_watched_folder(tmp_path: Path, fetcher: Fetcher) -> None:
    inside, outside = tmp_path / "нові статті", tmp_path / "інше"
    inside.mkdir()
    outside.mkdir()
    (inside / "фото 1.png").write_bytes(drawn())
    (outside / "secret.png").write_bytes(drawn())
    (inside / "link.png").symlink_to(outside / "secret.png")
    (inside / "loop.png").symlink_to(inside / "loop.png")
    (inside / "folder.png").mkdir()
    async with PhotoDesk(fetcher, [inside]) as desk:
        assert (await desk.get((inside / "фото 1.png").as_uri())).width == 300
        for path in (
            (outside / "secret.png").as_uri(),
            (inside / "link.png").as_uri(),
            (inside / "loop.png").as_uri(),
            (inside / "folder.png").as_uri(),
            (inside / "none.png").as_uri(),
            inside.as_uri() + "/../%D1%96%D0%BD%D1%88%D0%B5/secret.png",
            "file://elsewhere/фото.png",
            "file:secret.png",
            "file:///etc/passwd%00.png",
        ):
            with pytest.raises(PhotoError):
                await desk.get(path)


async def test_without_watched_folders_no_file_is_read(tmp_path: Path, fetcher: Fetcher) -> None:
    (tmp_path / "a.png").write_bytes(drawn())
    async with PhotoDesk(fetcher) as desk:
        with pytest.raises(PhotoError, match="not inside a folder that is watched"):
            await desk.get((tmp_path / "a.png").as_uri())


async def test_a_desk_that_closes_leaves_nothing_running(gallery: Gallery, fetcher: Fetcher) -> None:
    gallery.open.clear()
    async with PhotoDesk(fetcher) as desk:
        waiting = asyncio.create_task(desk.get(f"{gallery.url}/a.png"))
        await gallery.visited.wait()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_photo_that_an_editor_sent_is_found_where_it_is_kept(fetcher: Fetcher) -> None:
    async def kept(address: str) -> bytes | None:
        return drawn() if address == "kept:1" else None

    async with PhotoDesk(fetcher, kept=kept) as desk:
        assert (await desk.get("kept:1")).width == 300
        with pytest.raises(PhotoError, match="no longer kept"):
            await desk.get("kept:2")
    async with PhotoDesk(fetcher) as desk:
        with pytest.raises(PhotoError):
            await desk.get("kept:1")
