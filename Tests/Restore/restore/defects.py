"""What should hold and does not yet. Each on a site of its own; they run with --defects alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .site import Site, until
from .story import Story


@dataclass(frozen=True)
class Defect:
    check: Callable[[Site], Awaitable[None]]
    shards: int
    reason: str


async def nothing_is_lost_by_a_restart_on_an_earlier_state(site: Site) -> None:
    """Few records were lost with the state, and more are written than that before the node is started again."""
    story = Story(site)
    early = story.book(20)
    backup = await asyncio.to_thread(site.database.take_backup, "backup")
    await site.until_told(early)
    point = site.database.now()
    await site.until_told(story.book(10))
    await site.stop_services()
    await site.database.go_back(backup, point)
    await site.start_services()
    booked = story.book(60)
    ended = "select count(*) from sagamore.runs where closed_at is not null and started_at > 0"
    await until(lambda: int(site.database.psql(ended) or 0) >= 80, "the bookings pass")
    await site.node.stop()
    await site.node.begin()
    await site.until_told(story.book(10))
    lost = [each for each in booked if site.told(each) != site.statuses[each]]
    waiting = site.database.psql("select count(*) from sagamore.outbox")
    assert not lost, f"{len(lost)} of {len(booked)} bookings lack events; {waiting} records wait in the outbox"


async def every_shard_hears_that_the_database_went_back(site: Site) -> None:
    """The database is away for longer than a node that stops waits for it, and has lost commits of all shards."""
    story = Story(site)
    past = await story.make_past("backup")
    await site.database.go_back(past.backup, past.point, pause=4)
    await until(lambda: not site.node.runs, "the node ends", site.node.last_words)
    await site.worker.stop()
    await site.start_services()
    booked = story.book(30)
    await until(
        lambda: all(site.told(each) == site.statuses[each] for each in booked) or bool(site.node.lines("critical")),
        "the bookings pass, or publishing stops",
        site.node.last_words,
    )
    story.expect_no_alarm()


DEFECTS = [
    Defect(
        nothing_is_lost_by_a_restart_on_an_earlier_state,
        2,
        "a publisher compares the cursor with the counter of now, which may have passed it",
    ),
    Defect(
        every_shard_hears_that_the_database_went_back,
        6,
        "the first shard to notice ends the node before the others raise their counters",
    ),
]
