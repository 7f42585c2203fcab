"""A small Telegram and a small Facebook on loopback, for the demo and the tests.

It imports nothing of the rest of the bot: an emulator that shares code with the adapters shares their mistakes. It
does *not* fetch anything from outside, keep anything on disk, or speak Markdown, video and documents.

`Sandbox` serves; `mishaps` scripts trouble; `telegram_rules` and `facebook_rules` judge content without any HTTP;
`control` documents the JSON API for other processes.
"""

from bot.sandbox import mishaps
from bot.sandbox.rates import Rate, Rates
from bot.sandbox.read_back import ReadBack
from bot.sandbox.server import Sandbox, SitePage

__all__ = ["Rate", "Rates", "ReadBack", "Sandbox", "SitePage", "mishaps"]
