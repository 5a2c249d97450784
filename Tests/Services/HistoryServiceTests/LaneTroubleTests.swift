import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Errors that are caused by the database, not by a row.
    @Suite struct LaneTrouble {
        /// The connection breaks, and the database comes back without the newest commits: an asynchronous standby took
        /// over.
        @Test func aDatabaseThatWentBackCostsTheShard() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            #expect(try node.submit(node.startCommand("one", "start", offset: 1)).get() == .carriedOut)
            let before = try database.texts("select to_jsonb(s)::text from sagamore.shards s")
            let sequence = try database.number("select max(sequence) from sagamore.journal")
            #expect(try node.submit(node.signalCommand("one", "kept", offset: 2)).get() == .carriedOut)
            node.faults.hold()
            let late = try node.signal("one", "late")
            try eventually("commit at the gate") { node.faults.isHolding }
            try database.goBack(to: before[0], journal: sequence)
            try database.cutLanes()
            node.faults.letGo()

            #expect(try late.error().code == .unavailable)
            try eventually("lost") { node.fencedShards == [0] }
            #expect(try node.describe("one").error().code == .unavailable)
            // A new owner loads what the database has, without gaps.
            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.signals("one") == [])
            try next.signal("one", "again").get()
            #expect(try next.signals("one") == ["again"])
            #expect(
                try database.number(
                    """
                    select count(*) from (select sequence, lag(sequence, 1, 0::bigint)
                    over (order by sequence) as before
                        from sagamore.journal) j where sequence <> before + 1
                    """
                ) == 0
            )
        }

        @Test func aMissingTableRefusesNothing() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("before").get()
            try database.session.execute("alter table sagamore.journal rename to elsewhere")
            let calls = try (1...20).map { number in
                node.submit(try node.startCommand("run \(number)", "start \(number)", offset: Int64(number)))
            }
            try eventually("stalled") { node.shard.perform { node.shard.state.ownership.isStalled } }
            // Long enough to blame each of the items.
            try eventually("tried again") {
                node.shard.perform { node.shard.state.ownership.epoch } > 3 || calls[0].isAnswered
            }
            #expect(calls.allSatisfy { !$0.isAnswered })
            try database.session.execute("alter table sagamore.elsewhere rename to journal")
            for call in calls { #expect(try call.get() == .carriedOut) }
            #expect(try database.number("select count(*) from sagamore.runs") == 21)
            #expect(try database.number("select count(*) from sagamore.inbox") == 20)
            try node.signal("before", "after").get()
            #expect(node.fencedShards.isEmpty)
            try database.checkNumbers()
        }

        /// A statement that takes too long with many rows succeeds with few.
        @Test(arguments: ["57014", "53200"])
        func aBatchThatIsTooMuchIsSplit(_ state: String) throws {
            let database = try TestDatabase()
            try database.session.execute(
                """
                create function refuse() returns trigger language plpgsql as $$ begin
                    if (select count(*) from added) > 3 then
                        raise exception 'too much at once' using errcode = '\(state)';
                    end if;
                    return null;
                end $$;
                create trigger refuse after insert on sagamore.journal referencing new table as added
                    for each statement execute function refuse();
                """
            )
            let node = try Node(database).started()
            defer { node.stop() }
            node.faults.hold()
            let held = try node.start("held")
            try eventually("commit at the gate") { node.faults.isHolding }
            let calls = try (1...20).map { try node.start("run \($0)") }
            try eventually("queued") { node.queuedCount == 20 }
            node.faults.letGo()
            try held.get()
            for call in calls { try call.get() }
            #expect(try database.number("select count(*) from sagamore.runs") == 21)
            try database.checkNumbers()
        }
    }
}

extension TestDatabase {
    /// Restores the shard's row, and deletes what was committed after it.
    fileprivate func goBack(to row: String, journal sequence: Int64) throws {
        let literal = row.replacingOccurrences(of: "'", with: "''")
        try session.execute(
            """
            delete from sagamore.journal where sequence > \(sequence);
            delete from sagamore.inbox where record_offset > 1;
            delete from sagamore.outbox o using jsonb_populate_record(null::sagamore.shards, '\(literal)') s
                where o.sequence > s.outbox_sequence;
            delete from sagamore.shards where id = 0;
            insert into sagamore.shards select * from jsonb_populate_record(null::sagamore.shards, '\(literal)');
            """
        )
    }
}
