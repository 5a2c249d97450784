import SagamoreAPI
import SagamoreEngine
import SagamoreLogging
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreProtobuf
import Testing

@testable import SagamoreScheduleService
@testable import SagamoreScheduling

/// Schedules as rows of a real database.
struct StoreTests {
    /// A fresh database and its store.
    private final class World {
        let session: PostgresConnection
        let store: PostgresScheduleStore

        init() throws {
            let url = try TemporaryPostgres.sharedServer().createDatabase()
            session = try PostgresConnection(url, applicationName: "tests")
            _ = try Migrator.migrate(session, shardCount: 1)
            store = PostgresScheduleStore(
                try PostgresConnection(url, applicationName: "tests", sessionSettings: SessionSettings.lane),
                Logger(label: "test", handler: LogHandler(format: .text, destination: .lines { _ in }))
            )
        }

        /// - Returns: the ids of those that were left out.
        func write(_ writes: ScheduleWrite...) throws -> [String] {
            let found = writes.map { PostgresScheduleStore.FoundBy(write: $0, values: values($0)) }
            return try store.write(found).map(\.id).sorted()
        }

        private func values(_ write: ScheduleWrite) -> [SearchValue] {
            guard write.record != nil, write.changesAttributes else { return [] }
            return SearchValue.values(
                of: SearchAttribute(id: 7, name: "Word", type: .keyword),
                .keyword("of \(write.name.id)")
            )
        }

        func number(_ sql: String) throws -> Int64 { try session.query(.unnamed(sql, readsOnly: true)).int64(0, 0) }
    }

    private func record(_ id: String, instance: UInt64 = 1) throws -> ScheduleRecord {
        var request = CreateScheduleRequest()
        (request.scheduleID, request.requestID) = (id, "r")
        request.memo = RawMessage(uncheckedBytes: [10, 0])
        var schedule = Schedule()
        schedule.spec = ScheduleSpec()
        schedule.spec?.cronString = ["0 * * * *"]
        let definition = try ScheduleDefinition(
            schedule,
            id: id,
            attributes: SearchAttributeCatalog(namespace: "default"),
            limits: Limits()
        )
        return ScheduleRecord(
            request,
            definition: definition,
            searchAttributes: nil,
            namespace: 1,
            instance: RunID(high: instance, low: UInt64(id.utf8.first ?? 0)),
            at: Instant(nanoseconds: 5)
        )
    }

    private func write(
        _ record: ScheduleRecord,
        basis: Int64,
        alarm: Int64? = nil,
        definition: Bool = false,
        isDeleted: Bool = false
    ) -> ScheduleWrite {
        ScheduleWrite(
            name: record.name,
            record: isDeleted ? nil : record,
            instance: record.instance,
            basis: basis,
            alarm: alarm.map { Instant(nanoseconds: $0) },
            changesDefinition: definition || basis == 0,
            changesAttributes: definition || basis == 0
        )
    }

    @Test func whatIsWrittenIsRead() throws {
        let world = try World()
        var record = try record("a")
        #expect(try world.write(write(record, basis: 0, alarm: 9)) == [])
        #expect(try world.store.load([record.name]).map(\.record) == [record])
        record.progress.manualCount = 3
        #expect(try world.write(write(record, basis: 1)) == [])
        record.setPaused(true, "why")
        record.memo = nil
        #expect(try world.write(write(record, basis: 2, definition: true)) == [])
        let read = try #require(try world.store.load([record.name, ScheduleName(namespace: 1, id: "z")]).first)
        #expect(read.record == record)
        #expect(read.revision == 3)
        #expect(try world.number("select count(*) from sagamore.search_values") == 1)
        #expect(try world.write(write(record, basis: 3, isDeleted: true)) == [])
        #expect(try world.store.load([record.name]).isEmpty)
        #expect(try world.number("select count(*) from sagamore.search_values") == 0)
    }

    @Test func aWriteOnAnotherBasisIsLeftOutAndNoOther() throws {
        let world = try World()
        let (a, b) = (try record("a"), try record("b"))
        #expect(try world.write(write(a, basis: 0), write(b, basis: 0)) == [])
        // Another process has created it, written it, or deleted it and created it again.
        #expect(try world.write(write(a, basis: 0), write(b, basis: 1)) == ["a"])
        #expect(try world.write(write(a, basis: 1), write(b, basis: 1)) == ["b"])
        let other = try record("b", instance: 2)
        #expect(try world.write(write(other, basis: 2, definition: true)) == ["b"])
        #expect(try world.write(write(other, basis: 2, isDeleted: true)) == ["b"])
        #expect(try world.store.load([a.name, b.name]).map(\.revision) == [2, 2])
    }

    @Test func alarmsAreLoadedInTheirOrderPageByPage() throws {
        let world = try World()
        let alarms: [(String, Int64?)] = [("a", 30), ("b", 10), ("c", 10), ("d", nil), ("e", 99), ("f", .min)]
        for (id, alarm) in alarms { #expect(try world.write(write(try record(id), basis: 0, alarm: alarm)) == []) }
        var found: [String] = []
        var after: (alarm: Instant, instance: RunID)?
        repeat {
            let load = ScheduleDueLoad(after: after, until: Instant(nanoseconds: 50), limit: 2)
            let page = try world.store.load(load)
            found += page.schedules.map(\.record.id)
            after = page.last
            #expect(page.next == Instant(nanoseconds: 99))
        } while after != nil
        #expect(found == ["f", "b", "c", "a"])
        let none = ScheduleDueLoad(after: nil, until: Instant(nanoseconds: 99), limit: 10)
        #expect(try world.store.load(none).next == nil)
    }

    @Test func whatCannotBeReadStandsStill() throws {
        let world = try World()
        let record = try record("a")
        #expect(try world.write(write(record, basis: 0, alarm: 1)) == [])
        try world.session.execute("update sagamore.schedules set progress = '\\xff'")
        #expect(try world.store.load([record.name]).isEmpty)
        let load = ScheduleDueLoad(after: nil, until: Instant(nanoseconds: 5), limit: 1)
        let page = try world.store.load(load)
        #expect(page.schedules.isEmpty)
        #expect(page.last?.instance == record.instance)
    }
}
