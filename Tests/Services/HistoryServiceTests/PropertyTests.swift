import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Random request sequences with their journal in PostgreSQL. At every check the state that is rebuilt from the
    /// stored bytes equals the live one, whether transitions have their own rows or share one.
    ///
    /// `SAGAMORE_ENGINE_SEED` repeats the sequence of a failure. `SAGAMORE_HISTORY_SEQUENCES` sets the number of
    /// sequences.
    @Suite struct Property {
        @Test func theStateIsWhatPostgresHolds() async throws {
            let environment = ProcessInfo.processInfo.environment
            let repeated = environment["SAGAMORE_ENGINE_SEED"].flatMap(UInt64.init)
            let first = repeated ?? UInt64.random(in: 0 ... .max)
            let count = environment["SAGAMORE_HISTORY_SEQUENCES"].flatMap(Int.init) ?? (repeated == nil ? 400 : 1)
            let database = try TestDatabase(shards: 2)
            // Rare cases need more sequences until they have occurred, up to a limit.
            var coverage = Coverage()
            var done = 0
            repeat {
                let range = done..<done + count
                coverage.merge(try await sequences(range, from: first, database.url))
                done += count
            } while repeated == nil && done < 20 * count && !coverage.missing.isEmpty
            print("journal property test: \(done) sequences from seed \(first)")
            // A single repeated sequence need not cover everything.
            guard repeated == nil else { return }
            #expect(coverage.missing.isEmpty, "never happened: \(coverage.missing)\n\(coverage.table)")
            #expect(try database.number("select count(distinct run_id) from sagamore.journal") == Int64(done))
        }

        private func sequences(_ range: Swift.Range<Int>, from first: UInt64, _ url: String) async throws -> Coverage {
            try await withThrowingTaskGroup(of: Coverage.self) { group in
                for lane in 0..<2 {
                    group.addTask {
                        let store = try JournalStore(url, shard: Int32(lane))
                        var coverage = Coverage()
                        for index in stride(from: range.lowerBound + lane, to: range.upperBound, by: 2) {
                            try Task.checkCancellation()
                            let journal = PostgresJournal(store, RunID(high: 0x7000, low: UInt64(index)))
                            let world = World(seed: first &+ UInt64(index), journal: journal)
                            try world.run(steps: 50)
                            coverage.merge(world.coverage)
                        }
                        return coverage
                    }
                }
                return try await group.reduce(into: Coverage()) { $0.merge($1) }
            }
        }
    }
}

/// The journal parts of a shard's lane and loader.
private final class JournalStore {
    let lane: PostgresLaneStore
    let loader: PostgresLoaderStore
    private let shard: Int32
    private let taken: TakenShard

    init(_ url: String, shard: Int32) throws {
        self.shard = shard
        let lane = try PostgresConnection(url, applicationName: "test", sessionSettings: SessionSettings.lane)
        let loader = try PostgresConnection(url, applicationName: "test", sessionSettings: SessionSettings.loader)
        self.lane = PostgresLaneStore(lane)
        self.loader = PostgresLoaderStore(loader)
        taken = try #require(try self.lane.takeShard(shard, as: ShardOwner(node: "node", process: "process")))
    }

    func write(_ row: SagamorePersistence.JournalRow) throws {
        var batch = CommitBatch()
        batch.journal = [row]
        let fence = ShardFence(shard: shard, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
        try lane.commit(batch, fence: fence)
    }
}

/// The journal of one run. Transitions that have not been read are written together, as a busy lane does.
private final class PostgresJournal: JournalBytes {
    private let store: JournalStore
    private let runID: RunID
    private var sequence: Int64 = 0
    private var waiting: SagamorePersistence.JournalRow?

    init(_ store: JournalStore, _ runID: RunID) {
        self.store = store
        self.runID = runID
    }

    func append(_ row: SagamoreEngineTestSupport.JournalRow) throws {
        sequence += 1
        if waiting != nil, sequence % 7 == 0 { try write() }
        if waiting == nil {
            waiting = SagamorePersistence.JournalRow(
                runID: runID,
                sequence: sequence,
                firstEventID: 1,
                events: row.events,
                facts: row.facts
            )
        } else {
            waiting?.events += row.events
            waiting?.facts += row.facts
        }
    }

    func rows() throws -> [SagamoreEngineTestSupport.JournalRow] {
        try write()
        return try store.loader.journals([runID])[runID, default: []].map {
            SagamoreEngineTestSupport.JournalRow(events: $0.events, facts: $0.facts)
        }
    }

    private func write() throws {
        if let waiting { try store.write(waiting) }
        waiting = nil
    }
}
