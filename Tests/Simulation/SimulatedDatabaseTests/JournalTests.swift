import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

extension DatabaseContract {
    /// Journals, heartbeats and histories, in pages of bytes and rows.
    @Suite struct Journals {
        private static func write(_ database: any DatabaseUnderTest) throws {
            let fence = try database.take()
            var batch = Sample.starts(1, 2, 3)
            batch.journal = []
            for number in 1...3 {
                for sequence in Int64(1)...6 {
                    let events = [UInt8](repeating: UInt8(number), count: sequence == 4 ? 0 : 10)
                    let facts = [UInt8(number), 2, 3, UInt8(sequence)]
                    let row = Sample.journal(number, sequence, first: 2 * sequence, events: events, facts: facts)
                    batch.journal.append(row)
                }
            }
            batch.heartbeats = [
                Sample.heartbeat(2, 9, details: [1, 2]), Sample.heartbeat(2, 5, details: []),
                Sample.heartbeat(1, 5, attempt: 3, details: [1, 2, 3, 4]),
            ]
            try database.lane.commit(batch, fence: fence)
            let snapshots = Sample.batch { $0.snapshots = [Sample.snapshot(2, 3, state: [7, 7, 7, 7])] }
            try database.lane.commit(snapshots, fence: fence)
        }

        private static let all = [3, 1, 2, 9].map(Sample.runID)

        @Test(arguments: DatabaseKind.allCases)
        func journalsComeInPages(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try Self.write(database)
            func pages(_ limit: Int) throws -> [[String]] {
                var pages: [[String]] = []
                var position = JournalPosition(runID: Sample.none, sequence: 0)
                while true {
                    let page = try database.loader.loadJournals(Self.all, after: position, byteLimit: limit)
                    pages.append(
                        page.parts.map { part in
                            let number = (1...3).first { Sample.runID($0) == part.runID } ?? 0
                            if case .snapshot = part { return "\(number)s\(part.sequence)" }
                            return "\(number).\(part.sequence)"
                        }
                    )
                    guard !page.isLast, let last = page.parts.last else { return pages }
                    position = JournalPosition(runID: last.runID, sequence: last.sequence)
                }
            }
            let first = ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]
            let second = ["2s3", "2.4", "2.5", "2.6"]
            let third = ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6"]
            #expect(try pages(.max) == [first + second + third])
            #expect(try pages(1).count == 17, "a part a page, and an empty one")
            #expect(try pages(1).flatMap(\.self) == first + second + third)
            // 14 bytes a row, 4 the rows without events, 4 the snapshot.
            #expect(try pages(74) == [first, second + ["3.1", "3.2", "3.3"], Array(third.dropFirst(3))])
            #expect(
                try pages(75) == [first + ["2s3"], ["2.4", "2.5", "2.6", "3.1", "3.2", "3.3", "3.4"], ["3.5", "3.6"]]
            )
            let twice = try database.loader.loadJournals(
                [Sample.runID(2), Sample.runID(2)],
                after: JournalPosition(runID: Sample.runID(2), sequence: 2),
                byteLimit: 9
            )
            #expect(twice.parts.map(\.sequence) == [3, 3, 4] && !twice.isLast)
            let none = try database.loader.loadJournals([], after: .init(runID: Sample.none, sequence: 0), byteLimit: 1)
            #expect(none.parts.isEmpty && none.isLast)
        }

        @Test(arguments: DatabaseKind.allCases)
        func aPageHasFewerRowsThanItsLimit(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let batch = Sample.batch {
                for sequence in Int64(1)...50_001 {
                    $0.journal.append(Sample.journal(1, sequence, first: 1, events: [], facts: [1]))
                    $0.heartbeats.append(Sample.heartbeat(1, sequence, details: []))
                }
            }
            try database.lane.commit(batch, fence: fence)
            let beginning = JournalPosition(runID: Sample.none, sequence: 0)
            let page = try database.loader.loadJournals([Sample.runID(1)], after: beginning, byteLimit: .max)
            #expect(page.parts.count == 50_000 && !page.isLast)
            let beats = try database.loader.loadHeartbeats([Sample.runID(1)], after: .beginning, byteLimit: 1)
            #expect(beats.rows.count == 50_000 && !beats.isLast)
        }

        @Test(arguments: DatabaseKind.allCases)
        func bytesAreFoundInFactsAndStates(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try Self.write(database)
            func contains(_ bytes: [UInt8], _ number: Int) throws -> Bool {
                try database.loader.journalContains(bytes, of: Sample.runID(number))
            }
            #expect(try contains([2, 3, 6], 1) && contains([1, 2], 1) && contains([7, 7], 2) && contains([], 3))
            #expect(try !contains([1, 1], 1), "not in events")
            #expect(try database.loader.historyContains([1, 1], of: Sample.runID(1)))
            #expect(try !database.loader.historyContains([2, 3, 6], of: Sample.runID(1)), "not in facts")
            #expect(try !contains([2, 3, 7], 1) && !contains([7, 7, 7, 7, 7], 2) && !contains([], 9))
        }

        @Test(arguments: DatabaseKind.allCases)
        func heartbeatsComeInPages(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try Self.write(database)
            func page(_ limit: Int, after: HeartbeatPosition = .beginning) throws -> ([Int64], Bool) {
                let ids = Self.all + [Sample.runID(1)]
                let page = try database.loader.loadHeartbeats(ids, after: after, byteLimit: limit)
                return (page.rows.map(\.scheduledEventID), page.isLast)
            }
            #expect(try page(.max) == ([5, 5, 9], true))
            #expect(try page(4) == ([5], false))
            #expect(try page(5) == ([5, 5, 9], false))
            #expect(try page(7) == ([5, 5, 9], true))
            let last = HeartbeatPosition(runID: Sample.runID(2), scheduledEventID: 5)
            #expect(try page(2, after: last) == ([9], false))
            #expect(try page(0).0 == [])
        }

        @Test(arguments: DatabaseKind.allCases)
        func historyBeginsWithTheRowThatHoldsAnEvent(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try Self.write(database)
            func history(_ event: Int64, _ limit: Int = .max, of workflow: Int = 1) throws -> [Int64] {
                try database.loader.readHistory(
                    Sample.runID(1),
                    of: Sample.key(workflow),
                    from: event,
                    byteLimit: limit
                ).map { row in
                    #expect(row.facts.isEmpty && !row.events.isEmpty)
                    return row.sequence
                }
            }
            #expect(try history(0) == [1, 2, 3, 5, 6] && history(3) == [1, 2, 3, 5, 6])
            #expect(try history(5) == [2, 3, 5, 6] && history(9) == [3, 5, 6] && history(99) == [6])
            // Exactly where a row begins.
            #expect(try history(4) == [2, 3, 5, 6] && history(10) == [5, 6] && history(8) == [3, 5, 6])
            #expect(try history(1, 1) == [1] && history(1, 10) == [1] && history(1, 11) == [1, 2])
            #expect(try history(1, of: 2) == [])
        }

        @Test(arguments: DatabaseKind.allCases)
        func historyLeadsBackFromTheRowThatHoldsAnEvent(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try Self.write(database)
            func history(_ event: Int64, _ limit: Int = .max, of workflow: Int = 1) throws -> [Int64] {
                try database.loader.readHistory(
                    Sample.runID(1),
                    of: Sample.key(workflow),
                    backFrom: event,
                    byteLimit: limit
                ).map { row in
                    #expect(row.facts.isEmpty && !row.events.isEmpty)
                    return row.sequence
                }
            }
            #expect(try history(99) == [6, 5, 3, 2, 1] && history(12) == [6, 5, 3, 2, 1])
            #expect(try history(11) == [5, 3, 2, 1] && history(9) == [3, 2, 1] && history(2) == [1])
            #expect(try history(1) == [] && history(0) == [])
            #expect(try history(99, 1) == [6] && history(99, 10) == [6] && history(99, 11) == [6, 5])
            #expect(try history(99, of: 2) == [])
        }
    }
}
