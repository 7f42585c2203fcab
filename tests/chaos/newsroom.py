"""The newsroom: invents articles, pushes them as a CMS does (again, until it hears 202), corrects and retracts some."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

SITE = "https://chaos.example/news"
PUSH_TOKEN = "push-token-of-the-chaos-suite"
_WORDS = (
    "міст річка школа бібліотека тролейбус ремонт рада громада площа ринок лікарня стадіон парк театр вокзал вулиця"
    " освітлення опалення фестиваль ярмарок відкриття реконструкція маршрут розклад конкурс виставка концерт музей"
).split()
_AT_ONCE = 40  # articles in one request
_PATIENCE = aiohttp.ClientTimeout(total=4)


@dataclass(slots=True, kw_only=True)
class Story:
    """One article and what the newsroom did with it. Times are Unix seconds."""

    number: int
    published_at: datetime
    lead: str
    title: str
    updated_at: datetime
    breaking: bool = False
    photo: str = ""
    revision: int = 1
    sent_at: float = 0.0  # when it was first told of
    accepted_at: float | None = None
    corrected_at: float | None = None
    retracted_at: float | None = None

    @property
    def url(self) -> str:
        return f"{SITE}/{self.number}"

    def told(self) -> dict[str, Any]:
        """Return the article as it is pushed."""
        article = {
            "url": self.url,
            "title": self.title,
            "lead": self.lead,
            "published_at": self.published_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
            "priority": "breaking" if self.breaking else "normal",
        }
        if self.photo:
            article |= {"photo_url": self.photo, "photo_credit": "Фото: міська рада"}
        return article | ({"retracted": True} if self.retracted_at is not None else {})


@dataclass(slots=True)
class Newsroom:
    """Pushes to whichever worker answers.

    Args:
        doors: the addresses at which workers may listen now.
        photos: addresses of pictures.
    """

    chance: random.Random
    session: aiohttp.ClientSession
    doors: Callable[[], Sequence[str]]
    photos: Sequence[str]
    stories: list[Story] = field(default_factory=list)
    batches: list[list[Story]] = field(default_factory=list)
    repeated: int = 0
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=2))
    hands: asyncio.Lock = field(default_factory=asyncio.Lock)

    def write(self, count: int, *, plain: bool = False) -> list[Story]:
        """Invent a batch of articles, told in any order."""
        batch = [self._story(len(self.stories) + place, plain) for place in range(count)]
        self.stories += batch
        self.batches.append(batch)
        return batch

    def _story(self, number: int, plain: bool) -> Story:
        chance = self.chance
        late = not plain and chance.random() < 0.05  # an article may come in later than others that are younger
        published_at = self.began_at + timedelta(seconds=10 * number - (300 if late else 0))
        words = " ".join(chance.sample(_WORDS, 6))
        return Story(
            number=number,
            published_at=published_at,
            updated_at=published_at,
            title=f"Новина {number}: {words}",
            lead=f"Про це розповіли у громаді номер {number}. {' '.join(chance.sample(_WORDS, 8)).capitalize()}.",
            breaking=not plain and chance.random() < 0.03,
            photo=chance.choice(self.photos) if self.photos and not plain and chance.random() < 0.15 else "",
        )

    async def push(self, batch: Sequence[Story]) -> None:
        """Hand a batch over, again and again until it is taken."""
        told = [story.told() for story in batch]
        self.chance.shuffle(told)
        async with self.hands:
            now = time.time()
            for story in batch:
                story.sent_at = story.sent_at or now
            await self._insist("POST", told, (202,))
        for story in batch:
            story.accepted_at = story.accepted_at or time.time()

    async def correct(self, story: Story) -> None:
        """Tell an article anew."""
        story.revision += 1
        story.title = f"{story.title.partition(' (уточнення')[0]} (уточнення {story.revision})"
        story.updated_at = story.updated_at + timedelta(seconds=1)
        story.corrected_at = time.time()
        await self.push([story])

    async def retract(self, story: Story) -> None:
        """Take an article back."""
        story.retracted_at = time.time()
        async with self.hands:
            status = await self._insist("DELETE", {"url": story.url, "reason": "помилка"}, (202, 404))
        if status == 404:  # the database was put back to before the article
            await self.push([story])

    async def tell_again(self, newest: int | None = None) -> None:
        """List all there is, as it stands now, in the order in which it came; or the newest alone.

        Several batches at one time: what was known together stays together.
        """
        told: list[Story] = []
        for batch in list(self.batches):
            told += [story for story in batch if newest is None or story.number >= len(self.stories) - newest]
            if len(told) >= _AT_ONCE:
                await self.push(told)
                told = []
        if told:
            await self.push(told)

    async def _insist(self, method: str, content: object, enough: tuple[int, ...]) -> int:
        headers = {"Authorization": f"Bearer {PUSH_TOKEN}"}
        while True:
            doors = list(self.doors())
            self.chance.shuffle(doors)
            for door in doors:
                try:
                    asked = self.session.request(
                        method, f"{door}/api/articles", json=content, headers=headers, timeout=_PATIENCE
                    )
                    async with asked as answer:
                        if answer.status in enough:
                            return answer.status
                        if answer.status in (401, 404, 413, 422):
                            raise RuntimeError(f"a push was refused: {answer.status} {await answer.text()}")
                except (aiohttp.ClientError, TimeoutError, OSError):
                    pass
                self.repeated += 1
            await asyncio.sleep(0.05)
