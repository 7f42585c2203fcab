"""The editors' desk: what the bot hears from people in Telegram, and what it tells them.

Hears updates of every bot once (`updates`, `dispatch`), acts on the queue through `agenda.steering` after a look at
the role, and tells of what waits for a person (`notices`). Publishes nothing itself.
"""
