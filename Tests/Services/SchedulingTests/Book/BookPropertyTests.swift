import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import Testing

@testable import SagamoreScheduling

/// Schedules under kills, failures and answers in any order. A failure names its seed.
struct BookPropertyTests {
    /// A schedule every 10 s, for some minutes, with triggers.
    private func run(_ policy: ScheduleOverlapPolicy, seed: UInt64) throws -> (World, created: Instant, triggers: Int) {
        var world = World(seed: seed)
        let definition = try Given(policy: policy).definition()
        var request = CreateScheduleRequest()
        (request.scheduleID, request.requestID) = ("s", "create")
        var created: Instant?
        while created == nil {
            let call = world.call(.create(request, definition, nil, instance: RunID(high: 1, low: world.calls)))
            for _ in 0..<20 { world.step() }
            if case .success? = world.outcomes[call] { created = world.rows[world.name]?.record.progress.createdAt }
            if world.chance(10) { world.kill() }
        }
        var triggers = 0
        var trigger: (call: UInt64, number: Int)?
        for _ in 0..<400 {
            world.now = world.now + .milliseconds(Int64.random(in: 0..<1_500, using: &world.random))
            world.pass()
            for _ in 0..<Int.random(in: 0..<6, using: &world.random) { world.step() }
            if world.chance(30) { world.endOne() }
            if world.chance(3) {
                world.kill()
                if world.chance(30) { world.now = world.now + .seconds(60) }
            }
            if trigger == nil, world.chance(5) { trigger = (0, triggers) }
            guard let pending = trigger else { continue }
            // Sent again, as clients do, until it is acknowledged.
            if case .success? = world.outcomes[pending.call] {
                triggers += 1
                trigger = nil
            } else if world.outcomes[pending.call] != nil || pending.call == 0 || world.chance(20) {
                var patch = SchedulePatch()
                patch.triggerImmediately = TriggerImmediatelyRequest()
                patch.triggerImmediately?.overlapPolicy = .allowAll
                // A second of its own: no two starts have the same id.
                patch.triggerImmediately?.scheduledTime = Instant.seconds(Int64(pending.number) * 10 + 5).timestamp
                trigger?.call = world.call(.patch(patch, requestID: "trigger \(pending.number)"))
            }
        }
        var pause = SchedulePatch()
        pause.pause = "the end"
        let call = world.call(.patch(pause, requestID: "pause"))
        world.settle()
        while world.runs.contains(where: { $0.endedAt == nil }) {
            world.endOne()
            world.settle()
        }
        guard case .success? = world.outcomes[call] else { throw Unanswered() }
        #expect(world.unanswered.isEmpty, "seed \(seed): calls wait for ever")
        return (world, try #require(created), triggers)
    }

    private struct Unanswered: Error {}

    @Test(arguments: 0..<150) func eachTimeHasOneRun(seed: Int) throws {
        let (world, created, triggers) = try run(.allowAll, seed: UInt64(seed))
        let record = try #require(world.rows[world.name]?.record)
        // It was paused at the last second that was decided.
        let ended = record.progress.processedTo.nanoseconds / 1_000_000_000
        let expected = stride(from: created.nanoseconds / 10_000_000_000 * 10 + 10, through: ended, by: 10)
            .map { "w-" + Instant.seconds($0).secondText }
        let byTime = world.runs.filter { $0.startID.hasPrefix("s") }
        #expect(byTime.map(\.workflowID).sorted() == expected.sorted(), "seed \(seed), \(world.kills) kills")
        #expect(Set(world.runs.map(\.requestID)).count == world.runs.count)
        let triggered = Set(world.runs.filter { $0.startID.hasPrefix("t") }.map(\.workflowID))
        #expect(triggered.count >= triggers, "seed \(seed): a trigger was acknowledged and lost")
        #expect(triggered.count <= triggers + 1)
        #expect(
            world.runs.count { $0.startID.hasPrefix("t") } == triggered.count,
            "seed \(seed): a trigger was doubled"
        )
        #expect(record.progress.info.actionCount == Int64(world.runs.count))
    }

    @Test(arguments: 200..<300) func bufferedRunsFollowEachOther(seed: Int) throws {
        let (world, created, _) = try run(.bufferAll, seed: UInt64(seed))
        let record = try #require(world.rows[world.name]?.record)
        let byTime = world.runs.filter { $0.startID.hasPrefix("s") }
        // None is left out but those that the pause at the end has overtaken.
        let first = created.nanoseconds / 10_000_000_000 * 10 + 10
        let expected = byTime.indices.map { "w-" + Instant.seconds(first + Int64($0) * 10).secondText }
        #expect(byTime.map(\.workflowID) == expected, "seed \(seed), \(world.kills) kills")
        for (earlier, later) in zip(byTime, byTime.dropFirst()) {
            #expect(try #require(earlier.endedAt) <= later.startedAt, "seed \(seed): two runs overlap")
        }
        #expect(record.progress.starting.isEmpty && record.progress.running.isEmpty)
    }

    @Test(arguments: 300..<400, [ScheduleOverlapPolicy.skip, .bufferOne, .cancelOther, .terminateOther])
    func noTwoRunsOverlap(seed: Int, policy: ScheduleOverlapPolicy) throws {
        let (world, _, _) = try run(policy, seed: UInt64(seed))
        let byTime = world.runs.filter { $0.startID.hasPrefix("s") }
        #expect(Set(byTime.map(\.workflowID)).count == byTime.count, "seed \(seed): a time has two runs")
        for (earlier, later) in zip(byTime, byTime.dropFirst()) {
            #expect(try #require(earlier.endedAt) <= later.startedAt, "seed \(seed), \(policy): two runs overlap")
        }
        #expect(byTime.count > 1)
    }

    @Test func whatIsAskedDuringAWriteIsAnsweredByIt() throws {
        var world = World(seed: 1)
        var request = CreateScheduleRequest()
        (request.scheduleID, request.requestID) = ("s", "create")
        let definition = try Given(spec: ScheduleSpec()).definition()
        let create = world.call(.create(request, definition, nil, instance: RunID(high: 2, low: 2)))
        while world.rows.isEmpty {
            world.pass()
            guard case .write? = world.job else {
                world.finishJob()
                continue
            }
            // The write is under way, and nothing changes behind it.
            let describe = world.call(.describe)
            #expect(world.outcomes[create] == nil && world.outcomes[describe] == nil)
            world.finishJob()
            #expect(world.outcomes[create] != nil && world.outcomes[describe] != nil)
        }
        world.settle()
        #expect(world.unanswered.isEmpty)
    }

    @Test(arguments: 400..<450) func aDeletedScheduleStartsNothing(seed: Int) throws {
        var world = World(seed: UInt64(seed))
        let definition = try Given(policy: .allowAll).definition()
        for round in 0..<4 {
            var request = CreateScheduleRequest()
            (request.scheduleID, request.requestID) = ("s", "create \(round)")
            let create = world.call(.create(request, definition, nil, instance: RunID(high: 2, low: UInt64(round))))
            for _ in 0..<10 { world.step() }
            world.now = world.now + .seconds(25)
            for _ in 0..<10 { world.step() }
            if world.chance(50) { world.kill() }
            let delete = world.call(.delete)
            let again = world.call(.describe)
            world.settle()
            if case .success? = world.outcomes[create] {} else { continue }
            guard case .success? = world.outcomes[delete], case .failure(let error)? = world.outcomes[again] else {
                Issue.record("seed \(seed): the schedule is still there")
                continue
            }
            #expect(error.code == .notFound)
            let count = world.runs.count
            world.now = world.now + .seconds(100)
            world.settle()
            #expect(world.runs.count == count, "seed \(seed)")
        }
    }
}
