"""Every error this bot raises on purpose.

BotError
+- UnansweredError        a public call left and nothing came back: it may be public, read back, never resend blindly
+- NotPublishedError      a platform did not publish our post, for certain
|  +- UnreachableError    nothing left this machine: try again
|  |  +- LateError           it would have left too late: others may believe this worker dead
|  |  +- UploadRefusedError  the platform forgot an upload: try again, with the bytes
|  +- ThrottledError      told to wait `retry_after`
|  +- RefusedError        this post will never be accepted as it is
|  |  +- PhotoRefusedError    the photo is refused, not the post: a lower rung may pass
|  |  +- GoneError            what should be changed is not there (any more)
|  |  +- UnchangedError       the post already reads exactly so
|  |  +- TooLateError         the platform no longer lets us take this post down
|  +- AccessLostError     token or rights are gone: stop the channel, tell an editor
+- FetchError             something from an address we did not choose could not be had, or must not be
+- PhotoError             a photo could not be had or is none: the post goes out without it
+- SourceError            a source, or one article of it, cannot be read
+- ComposeError           no post that the platform accepts can be made of this article
|  +- TooLongError         an editor's own words are too many for it: they are never shortened
+- TransitionError        a delivery cannot go from this state to that one
+- LostClaimError         another worker holds this delivery now: whatever we learn is evidence, not a decision
+- DeskError              an editor asked for what cannot be done
|  +- TooOftenError       somebody asks too often: what they ask is not looked at any more
+- SettingsError          wrong configuration: file, key, value and what is allowed
+- DatabaseError          the database is unreachable, not migrated, or in use by another process

Errors are told apart by what is done next, not by what went wrong.
"""

from __future__ import annotations

from datetime import timedelta


class BotError(Exception):
    """The root: catch it to catch all of ours."""


class UnansweredError(BotError):
    """A public call left this machine and no definite answer came back."""


class NotPublishedError(BotError):
    """The platform did not publish our post, for certain."""


class UnreachableError(NotPublishedError):
    """No connection was made: nothing left this machine."""


class LateError(UnreachableError):
    """The guard kept a call from leaving after its deadline: nothing left this machine."""


class UploadRefusedError(UnreachableError):
    """The platform no longer knows an earlier upload; the next try sends the bytes."""


class ThrottledError(NotPublishedError):
    """The platform told us to wait.

    Attributes:
        retry_after: how long to stay silent, counted from the answer.
        scope: whose ban it is: `chat`, `bot` or `page`.
    """

    def __init__(self, message: str, retry_after: timedelta, scope: str = "chat") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.scope = scope


class RefusedError(NotPublishedError):
    """This post will never be accepted as it is."""


class PhotoRefusedError(RefusedError):
    """The platform refused the photo; the same words without it may pass."""


class GoneError(RefusedError):
    """The post to be changed or taken down is not there."""


class UnchangedError(RefusedError):
    """The post already reads exactly so."""


class TooLateError(RefusedError):
    """The platform does not let us take this post down any more: overwrite it."""


class AccessLostError(NotPublishedError):
    """Token or rights are gone; nothing will pass until a person acts."""


class FetchError(BotError):
    """An address could not be fetched, or must not be."""


class PhotoError(BotError):
    """A photo could not be had, or is none."""


class SourceError(BotError):
    """A source, or one article of it, cannot be read."""


class ComposeError(BotError):
    """No post the platform would accept can be made of this article."""


class TooLongError(ComposeError):
    """An editor's own words do not fit; `over` is by how many characters."""

    def __init__(self, message: str, over: int) -> None:
        super().__init__(message)
        self.over = over


class TransitionError(BotError):
    """A delivery cannot go from its state to the one asked for."""

    def __init__(self, delivery: int, now: str, asked: str) -> None:
        super().__init__(f"delivery {delivery} is {now} and cannot become {asked}")
        self.delivery = delivery
        self.now = now
        self.asked = asked


class LostClaimError(BotError):
    """The claim on a delivery was lost to a lease that ran out."""


class DeskError(BotError):
    """An editor asked for what cannot be done; the text is shown as it is."""


class TooOftenError(DeskError):
    """Somebody asks too often; what they ask is not looked at any more."""


class SettingsError(BotError):
    """Wrong configuration; the text names file, key, value and what is allowed."""


class DatabaseError(BotError):
    """The database is unreachable, not migrated, or in use."""
