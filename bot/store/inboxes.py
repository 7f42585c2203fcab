"""Up to where each bot's updates have been handled, kept in the transaction that handles them."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import inboxes

# After a week without updates Telegram goes on from a number chosen by chance, maybe a lower one. An update that was
# handled but not confirmed is never this far back: there are at most a hundred of them.
_ANEW = 1000


async def advance(tx: AsyncConnection, account: str, update_id: int) -> bool:
    """Count an update as handled; False where it was before, by whomever.

    Two that handle one update wait here for each other, and the second one is told so.
    """
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(inboxes).values(account=account, next_update=update_id + 1)
    query = query.on_conflict_do_update(
        index_elements=["account"],
        set_={"next_update": query.excluded.next_update},
        where=(inboxes.c.next_update <= update_id) | (inboxes.c.next_update > update_id + _ANEW),
    )
    return (await tx.execute(query.returning(inboxes.c.account))).scalar_one_or_none() is not None
