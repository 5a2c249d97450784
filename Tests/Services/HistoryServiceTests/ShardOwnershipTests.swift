import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import Testing

@testable import SagamoreHistoryService

/// When a shard accepts requests, and how much time workers get after an outage.
@Suite struct ShardOwnershipTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)
    private static let wall = Instant(nanoseconds: 5_000_000_000_000)
    private static let grace = Interval.seconds(7)

    private func owned() -> ShardOwnership {
        var ownership = ShardOwnership(grace: Self.grace)
        ownership.take(epoch: 3, since: Self.start, at: Self.start, wall: Self.wall)
        return ownership
    }

    @Test func aShardThatIsNotOwnedTakesNothing() {
        var ownership = ShardOwnership(grace: Self.grace)
        #expect(ownership.obstacle(at: Self.start) == .starting)
        #expect(!ownership.isOwned && ownership.epoch == 0)
        ownership.drop()
        #expect(ownership.obstacle(at: Self.start) == .dropped)
    }

    @Test func theLeaseLimitsWhatMayBeShown() {
        var ownership = owned()
        #expect(ownership.isOwned && ownership.epoch == 3)
        #expect(ownership.obstacle(at: Self.start + ShardLease.use) == nil)
        #expect(ownership.obstacle(at: Self.start + .milliseconds(3_501)) == .databaseAway)
        let later = Self.start + .seconds(3)
        ownership.extendLease(from: later, at: later, wall: Self.wall + .seconds(3))
        #expect(ownership.obstacle(at: later + ShardLease.use) == nil)
    }

    @Test func aShortStallIsWaitedFor() {
        var ownership = owned()
        ownership.stall(since: Self.start)
        // A stall counts from its beginning.
        ownership.stall(since: Self.start + .milliseconds(900))
        #expect(ownership.isStalled)
        #expect(ownership.obstacle(at: Self.start + .seconds(1)) == nil)
        #expect(ownership.obstacle(at: Self.start + .milliseconds(1_001)) == .databaseAway)
        ownership.resume()
        #expect(!ownership.isStalled)
        #expect(ownership.obstacle(at: Self.start + .seconds(2)) == nil)
    }

    @Test func workersGetTimeAfterAnOutageOnly() {
        var ownership = owned()
        // Before the shard was owned, reports were refused.
        #expect(ownership.outage == WorkerOutage(end: Self.wall, grace: Self.grace))
        var now = Self.start + .seconds(1)
        ownership.extendLease(from: now, at: now, wall: Self.wall + .seconds(1))
        #expect(ownership.outage.end == Self.wall)
        ownership.stall(since: now)
        now = now + .seconds(3)
        ownership.take(epoch: 4, since: now, at: now, wall: Self.wall + .seconds(4))
        #expect(ownership.outage == WorkerOutage(end: Self.wall + .seconds(4), grace: Self.grace))
        #expect(ownership.epoch == 4)
        // The lease holds, but the lane has not committed yet.
        #expect(ownership.obstacle(at: now) == .databaseAway)
        ownership.resume()
        #expect(ownership.obstacle(at: now) == nil)
    }

    /// Whatever the lane reports, requests are accepted exactly while the lease holds and no stall is old. An outage
    /// ends when the lease holds again.
    @Test(arguments: 0..<50)
    func theObstacleFollowsFromTheReports(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var ownership = ShardOwnership(grace: Self.grace)
        var now = Self.start
        var epoch: Int64 = 0
        var leasedSince: Instant?
        var stalledSince: Instant?
        for _ in 0..<200 {
            now = now + .milliseconds(Int64.random(in: 0...4_000, using: &random))
            let expected: ShardOwnership.Obstacle?
            if let leasedSince {
                let isAway = now - leasedSince > ShardLease.use || stalledSince.map { now - $0 > .seconds(1) } ?? false
                expected = isAway ? .databaseAway : nil
            } else {
                expected = .starting
            }
            #expect(ownership.obstacle(at: now) == expected)
            let before = ownership.outage
            if leasedSince == nil || random.once(in: 4) {
                epoch += 1
                ownership.take(epoch: epoch, since: now, at: now, wall: now)
                leasedSince = now
                #expect(ownership.outage == (expected == nil ? before : WorkerOutage(end: now, grace: Self.grace)))
            } else if random.once(in: 3) {
                ownership.extendLease(from: now, at: now, wall: now)
                leasedSince = now
                #expect(ownership.outage == (expected == nil ? before : WorkerOutage(end: now, grace: Self.grace)))
            } else if random.once(in: 2) {
                ownership.stall(since: now)
                stalledSince = stalledSince ?? now
            } else {
                ownership.resume()
                stalledSince = nil
            }
            #expect(ownership.epoch == epoch && ownership.isStalled == (stalledSince != nil))
        }
        ownership.drop()
        #expect(ownership.obstacle(at: now) == .dropped)
    }
}
