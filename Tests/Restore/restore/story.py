"""The checks. Each goes on where the one before it has ended."""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path

from crash.topics import EVENTS, read_again

from .database import Point
from .site import SHARDS, Site, until

RESTORED = "the database was restored to an earlier state; events go on"
STOPPED = "PUBLISHING HAS STOPPED for this shard: fix the cause, then restart the server"


@dataclass
class Past:
    """A moment to return to, and what was asked before and after it."""

    backup: Path
    point: Point
    done: list[str] = field(default_factory=list)
    """Commands that had all their events before the moment."""
    open: list[str] = field(default_factory=list)
    """Bookings that were under way then."""
    later: list[str] = field(default_factory=list)
    """Commands that came after it. What they did is on the topic, and not in the database that went back."""


class Story:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.past: Past | None = None
        self.named = 0

    def book(self, count: int) -> list[str]:
        self.named += count
        return [self.site.book(f"booking-{number}") for number in range(self.named - count, self.named)]

    async def make_past(self, name: str) -> Past:
        """Takes a backup while bookings run, and lets others come before and after the moment to return to."""
        site = self.site
        done = self.book(20)
        backup = await asyncio.to_thread(site.database.take_backup, name)
        done += self.book(20)
        still_open = [site.book(f"{name}-open-{number}", attempts=1000) for number in range(4)]
        await site.until_told(done)
        await until(lambda: all(site.told(each) == ["accepted"] for each in still_open), "the bookings are accepted")
        past = Past(backup, site.database.now(), done, still_open)
        past.later = self.book(60) + [site.give_up(each) for each in still_open]
        await site.until_told(past.later + still_open)
        return past

    async def expect_once(self, commands: list[str]) -> None:
        """New commands are carried out and published, each event once and in order."""
        await self.site.until_told(commands)
        for command in commands:
            self.expect(command, self.site.statuses[command])

    def expect(self, command: str, statuses: list[str], since: int = 0) -> None:
        """A command has had these events since then, beside repetitions of earlier ones."""
        earlier, later = self.site.events[command][:since], self.site.events[command][since:]
        events = [event for event in later if event not in earlier]
        found = [event["status"] for event in events]
        assert found == statuses, f"{command}: the events are {found}, expected {statuses}"
        first = len(self.site.statuses[command]) - len(statuses) + 1
        sequence = [event["sequence"] for event in events]
        assert sequence == list(range(first, first + len(statuses))), f"{command}: the sequence is {sequence}"

    async def expect_topic(self) -> None:
        """A new reader sees what the one saw that listened all the time, and gets to the end."""
        records, problems = await asyncio.to_thread(read_again, self.site.kafka.address, EVENTS)
        assert not problems, problems
        assert len(records) == self.site.count(), f"{len(records)} records, seen before: {self.site.count()}"

    def expect_no_alarm(self) -> None:
        lines = self.site.node.lines("error", "critical")
        assert not lines, lines

    def expect_alarm(self) -> None:
        """The node has noticed that it is on an earlier state, and nothing else; once in each shard."""
        lines = self.site.node.lines("error", "critical")
        shards = [line["metadata"]["shard"] for line in lines if line["message"].startswith(RESTORED)]
        assert shards and len(shards) == len(lines) == len(set(shards)), lines
        counted = self.site.node.page("/metrics").count("sagamore_database_losses_total{")
        assert counted == len(shards), f"{counted} shards with counted losses, {len(shards)} that said so"

    # The checks

    async def node_sees_the_database_go_back(self) -> None:
        """A node that runs meanwhile ends. The next one goes on, and numbers no record as one that is published."""
        site = self.site
        past = await self.make_past("first")
        # Away for longer than a node that ends waits for it: not all shards come to see what happened.
        await site.database.go_back(past.backup, past.point, pause=4)
        await until(lambda: not site.node.runs, "the node ends", site.node.last_words)
        assert site.node.process and site.node.process.returncode == 1
        said = {re.sub("[0-9]+", "N", line["message"]) for line in site.node.lines("error", "critical")}
        assert said == {
            "the database lost commits that this node saw (did a standby take over?); dropping the shard",
            "the database lost commits of shard N; exiting",
        }, said
        await site.worker.stop()
        since = site.counts()
        await site.start_services()
        await self.expect_once(self.book(30))
        self.expect_alarm()
        # Their offsets are committed: nobody reads them again.
        assert all(site.told(each)[since[each] :] == [] for each in past.later + past.open)
        running = "select count(*) from sagamore.alarms where open_workflow_id like 'first-open-%'"
        assert site.database.psql(running) == str(len(past.open))
        # They were compensated in the past that is gone. What becomes of them now is published, too.
        for booking in past.open:
            site.send(f"{booking} cancelled", "cancel", booking, ["delivered"])
        await until(lambda: all("cancelled" in site.told(each) for each in past.open), "they end a second time")
        for booking in past.open:
            self.expect(booking, ["cancelled"], since[booking])
        self.expect_alarm()
        site.node.forget_lines()
        await self.expect_topic()

    async def shards_change_under_load(self) -> None:
        """More shards, and fewer, by the command, while bookings run."""
        site = self.site
        booked: list[str] = []
        for shards in (3, 2):
            booked += self.book(30)
            moving = asyncio.create_task(asyncio.to_thread(site.migrate, shards))
            while not moving.done():
                booked += self.book(2)
                await asyncio.sleep(0.02)
            assert "moved" in await moving, moving.result()
            booked += self.book(30)
            await self.expect_once(booked)
            assert site.database.psql(SHARDS) == str(shards)
            owned = [f'sagamore_shard_owned{{shard="{shard}"}} 1' for shard in range(shards)]
            await until(lambda: all(each in site.node.page("/metrics") for each in owned), "all shards are owned")
        self.expect_no_alarm()
        await self.expect_topic()

    async def events_go_on_from_an_earlier_state(self) -> None:
        """The database goes back while no node runs. The next ones publish everything, and nothing a second time."""
        site = self.site
        self.past = past = await self.make_past("second")
        await site.stop_services()
        await site.database.go_back(past.backup, past.point)
        since = site.counts()
        await site.start_services()
        booked = self.book(80)
        ended = "select count(*) from sagamore.runs where closed_at is not null and workflow_id = any('{%s}')"
        await until(lambda: site.database.psql(ended % ",".join(booked)) == "80", "the bookings pass")
        await until(lambda: len(site.node.lines("critical")) == 2, "both shards notice", site.node.last_words)
        self.expect_alarm()
        await site.node.stop()
        await site.node.begin()
        await self.expect_once(booked + self.book(10))
        self.expect_no_alarm()
        for command in past.done + past.later:
            assert len(site.events[command]) == since[command], f"{command} was published again"
        await self.expect_topic()

    async def an_operator_has_lost_commands_carried_out(self) -> None:
        """The commands since the moment are read again. Each is carried out anew."""
        site, past = self.site, self.past
        assert past, "there is no earlier state"
        await site.stop_services()
        since = site.counts()
        await self.go_on(past)
        for command in past.done:
            self.expect(command, [], since[command])

    async def nothing_is_published_when_the_clock_was_ahead(self) -> None:
        """The lost past had higher numbers than the clock gives: commands are carried out, and events wait."""
        site = self.site
        self.past = past = await self.make_past("third")
        await site.stop_services()
        site.database.psql("update sagamore.shards set outbox_sequence = outbox_sequence + 10000000000000")
        await site.start_services()
        past.later += self.book(40)
        await site.until_told(past.later)
        await site.stop_services()
        await site.database.go_back(past.backup, past.point)
        before = site.count()
        await site.start_services()
        self.unpublished = self.book(16)
        shards = int(site.database.psql(SHARDS) or 0)
        await until(
            lambda: len(site.node.lines("critical")) == shards, "each shard's publisher stops", site.node.last_words
        )
        ended = "select count(*) from sagamore.runs where closed_at is not null and workflow_id = any('{%s}')"
        names = ",".join(self.unpublished)
        await until(lambda: site.database.psql(ended % names) == "16", "the bookings pass", site.node.last_words)
        await asyncio.sleep(1)
        for line in site.node.lines("error", "critical"):
            assert line["message"] == STOPPED, line
            assert "the database was restored to an earlier state" in line["metadata"]["reason"], line
        assert site.node.page("/readyz") == "ready\n"
        assert site.count() == before, "something was published"

    async def an_operator_lets_it_go_on(self) -> None:
        """A node has run on the earlier state: what it could not publish is published, after the script."""
        site, past = self.site, self.past
        assert past, "there is no earlier state"
        await site.stop_services()
        site.renumber_outbox()
        since = site.counts()
        await self.go_on(past)
        for command in past.done:
            self.expect(command, [], since[command])
        await self.expect_once(self.unpublished)

    async def go_on(self, past: Past) -> None:
        """Has the commands since the moment read again, and starts. Each is carried out anew."""
        site = self.site
        since = site.counts()
        await asyncio.to_thread(site.rewind_commands, past.point, site.folder)
        await site.start_services()
        new = self.book(20)
        await site.until_told(past.later, since)
        await until(
            lambda: all("compensated" in site.told(each)[since[each] :] for each in past.open), "open bookings end"
        )
        for command in past.later:
            self.expect(command, site.statuses[command], since.get(command, 0))
        for command in past.open:
            self.expect(command, ["compensated"], since[command])
        await self.expect_once(new)
        self.expect_no_alarm()
        await self.expect_topic()


CHECKS = [
    Story.node_sees_the_database_go_back,
    Story.shards_change_under_load,
    Story.events_go_on_from_an_earlier_state,
    Story.an_operator_has_lost_commands_carried_out,
    Story.nothing_is_published_when_the_clock_was_ahead,
    Story.an_operator_lets_it_go_on,
]
