import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreLogging
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// What a shard's timer does in one hold of the lock, and when it continues.
    @Suite struct Timers {
        /// An owned shard whose lane commits nothing, with runs that are due at the same time.
        private static func shard(dueRuns count: Int, laneQueueLimit: Int = 50_000, _ clock: TestClock) throws -> Shard
        {
            var configuration = HistoryConfiguration(shardCount: 1, node: "node")
            configuration.laneQueueLimit = laneQueueLimit
            let shard = Shard(
                id: 0,
                configuration: configuration,
                environment: .system(wallClock: { clock.now }),
                encoder: PlainEncoder(),
                matching: { nil },
                log: Logger(label: "test")
            )
            shard.perform {
                shard.state.ownership.take(
                    epoch: 1,
                    since: SteadyClock.now() + .seconds(86_400),
                    at: SteadyClock.now(),
                    wall: clock.now
                )
            }
            for number in 0..<count {
                let request = try Samples.start { request in
                    request.workflowID = "run \(number)"
                    request.workflowStartDelay = Interval.seconds(3_600).duration
                }
                _ = Call<StartedRun> { shard.start(request, namespace: 1, Caller($0)) }
            }
            clock.jump(.seconds(3_600))
            return shard
        }

        /// Timers that are all due at midnight must not fire in one hold, since requests and the lease wait for the
        /// lock.
        @Test func whatIsDueAtOneMomentIsCarriedOutInParts() throws {
            let clock = TestClock()
            let shard = try Self.shard(dueRuns: 1_000, clock)
            let timer = ShardTimer(shard: shard)
            let started = shard.lane.count
            #expect(started == 1_000)
            var parts: [Int] = []
            var longest = Duration.zero
            while true {
                let before = shard.lane.count
                let began = ContinuousClock.now
                let wait = timer.step()
                longest = max(longest, ContinuousClock.now - began)
                parts.append(shard.lane.count - before)
                guard case .pause = wait else { break }
            }
            print("timer test: 1000 runs were due at once, the longest hold took \(longest)")
            #expect(parts.max() ?? 0 <= WorkBounds().dueRuns)
            #expect(parts.reduce(0, +) == 1_000)
        }

        @Test func aFullLaneHoldsBackWhatIsDue() throws {
            let clock = TestClock()
            let shard = try Self.shard(dueRuns: 600, laneQueueLimit: 1_202, clock)
            let timer = ShardTimer(shard: shard)
            #expect(timer.step() == .pause(TimerSchedule.partPause))
            let full = shard.lane.count
            #expect(full > 601)
            #expect(timer.step() == .pause(TimerSchedule.lanePause))
            #expect(timer.step() == .pause(TimerSchedule.lanePause))
            // On a slow machine it is late by now.
            #expect(shard.lane.count - full <= 2 * WorkBounds().lateDueRuns)
            // The lane takes what waits.
            _ = shard.lane.take(atMost: .max, bytes: .max)
            _ = timer.step()
            #expect(shard.lane.count > 0)
        }

        /// Requests may keep a lane half full for hours.
        @Test func lateWorkGoesOnBesideAHalfFullLane() throws {
            let clock = TestClock()
            let shard = try Self.shard(dueRuns: 600, laneQueueLimit: 822, clock)
            let timer = ShardTimer(shard: shard)
            #expect(timer.step() == .pause(TimerSchedule.lanePause))
            clock.jump(.seconds(2))
            var counts: [Int] = []
            for _ in 0..<60 {
                #expect(timer.step() == .pause(TimerSchedule.lanePause))
                counts.append(shard.lane.count)
            }
            #expect(counts.first ?? 0 > 600)
            #expect(zip(counts, counts.dropFirst()).allSatisfy { $1 - $0 <= WorkBounds().lateDueRuns })
            // Not into a full one.
            #expect((822..<822 + WorkBounds().lateDueRuns).contains(counts.last ?? 0), "\(counts)")
        }

        @Test func theTimerSleepsUntilTheNextRunIsDue() {
            let now = Instant(nanoseconds: 5_000_000_000)
            var schedule = TimerSchedule(retentionPeriod: .seconds(30), steady: now)
            let first = schedule.begin(at: now, steady: now)
            #expect(first == TimerSchedule.Step(sweeps: true, wakesParked: true, retains: false))
            let second = schedule.begin(at: now, steady: now)
            #expect(second == TimerSchedule.Step())
            var outcome = TimerSchedule.Outcome()
            outcome.isOwned = true
            outcome.earliest = now + .milliseconds(40)
            let short = schedule.end(outcome, at: now, steady: now)
            #expect(short == .sleep(.milliseconds(40)))
            outcome.earliest = now + .seconds(40)
            let long = schedule.end(outcome, at: now, steady: now)
            #expect(long == .sleep(TimerSchedule.sweepPeriod))
            outcome.earliest = now
            outcome.isStalled = true
            let stalled = schedule.end(outcome, at: now, steady: now)
            #expect(stalled == .sleep(TimerSchedule.sweepPeriod))
        }

        @Test func clocksThatJumpWakeParkedRuns() {
            let now = Instant(nanoseconds: 5_000_000_000)
            var schedule = TimerSchedule(retentionPeriod: .seconds(30), steady: now)
            _ = schedule.begin(at: now, steady: now)
            // A jump forward takes effect at once. After a jump back the steady clock counts.
            let forward = schedule.begin(at: now + .seconds(600), steady: now + .milliseconds(1))
            #expect(forward.wakesParked)
            let back = schedule.begin(at: now, steady: now + .milliseconds(2))
            #expect(!back.wakesParked)
            let later = schedule.begin(at: now, steady: now + .seconds(3))
            #expect(later.wakesParked && later.sweeps)
            let retention = schedule.begin(at: now, steady: now + .seconds(30))
            #expect(retention.retains)
        }

        @Test func tablesShrinkOnceABurstIsOver() {
            var relief = TableRelief()
            var now = Instant(nanoseconds: 0)
            func isDue(_ runs: Int, after seconds: Int64) -> Bool {
                now = now + .seconds(seconds)
                return relief.isDue(runs: runs, at: now)
            }
            let steps = [
                isDue(100_000, after: 0), isDue(10, after: 1), isDue(10, after: 9), isDue(60_000, after: 1),
                isDue(10, after: 1), isDue(10, after: 9), isDue(10, after: 1), isDue(10, after: 60),
            ]
            #expect(steps == [false, false, false, false, false, false, true, false])
            #expect(!isDue(900, after: 1))
            #expect(!isDue(0, after: 60))
            #expect(!isDue(0, after: 60))
        }
    }
}
