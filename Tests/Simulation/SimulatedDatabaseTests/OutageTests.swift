import SagamorePersistence
import SagamorePostgresClient
import Testing

extension DatabaseContract {
    /// What stores say while the database is not as it should be.
    @Suite struct Outages {
        @Test(arguments: DatabaseKind.allCases)
        func aMissingTableHitsEveryCommit(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            try database.withoutJournal {
                let found = failure { () throws(CommitError) in
                    try database.lane.commit(Sample.starts(1), fence: fence)
                }
                #expect(found?.kind == "misconfigured" && found?.sqlState == "42P01")
            }
            try database.lane.commit(Sample.starts(1), fence: fence)
        }

        @Test(arguments: DatabaseKind.allCases)
        func whoMeetsALockedShard(_ kind: DatabaseKind) throws {
            let database = try kind.make(shards: 2)
            let fence = try database.take()
            let (lane, rows) = (database.lane, try database.rows())
            try database.withLockedShard { () throws in
                let failures = [
                    failure { () throws(CommitError) in try lane.commit(Sample.starts(1), fence: fence) },
                    failure { () throws(CommitError) in _ = try lane.takeShard(0, as: Sample.owner) },
                    failure { () throws(CommitError) in _ = try lane.retakeShard(0, as: Sample.owner, epoch: 1) },
                    failure { () throws(CommitError) in _ = try lane.renewLease(0, as: Sample.owner, epoch: 1) },
                    failure { () throws(CommitError) in try lane.releaseShard(0, epoch: 1) },
                ]
                for found in failures {
                    #expect(found?.kind == "transient" && found?.code == "server" && found?.sqlState == "55P03")
                }
                #expect(try database.lane.epoch(of: 0) == 1)
                #expect(try database.lane.takeShard(1, as: Sample.owner)?.epoch == 1)
                #expect(try database.outbox.standing(of: 0).isOwned)
            }
            #expect(
                try database.rows().filter { !$0.hasPrefix("shards: 1") } == rows.filter { !$0.hasPrefix("shards: 1") }
            )
            try database.lane.commit(Sample.starts(1), fence: fence)
        }

        @Test(arguments: DatabaseKind.allCases)
        func aLostSessionStaysLostUntilItReconnects(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let (lane, loader, outbox) = (database.lane, database.loader, database.outbox)
            try database.endSessions()
            for _ in 1...2 {
                let failures = [
                    failure { () throws(CommitError) in try lane.commit(Sample.starts(1), fence: fence) },
                    failure { () throws(CommitError) in _ = try lane.takeShard(0, as: Sample.owner) },
                    failure { () throws(CommitError) in _ = try loader.sliceTable() },
                    failure { () throws(CommitError) in _ = try loader.deleteTraces(before: Sample.noon, limit: 1) },
                    failure { () throws(CommitError) in _ = try outbox.standing(of: 0) },
                    failure { () throws(CommitError) in try outbox.record(["a": 1], of: 0) },
                ]
                for found in failures {
                    #expect(found?.kind == "transient" && found?.code == "connectionLost")
                }
                // Nothing to write.
                try database.outbox.record([:], of: 0)
            }
            try database.lane.reconnect()
            try database.outbox.reconnect()
            try database.lane.commit(Sample.starts(1), fence: fence)
            #expect(try database.outbox.standing(of: 0).isOwned)
        }
    }
}
