import Glibc
import Testing

@testable import SagamoreThreads

@Suite struct LockTests {
    private struct Refusal: Error, Equatable { let number: Int }

    @Test func lockedGivesAValueToOneThreadAtATime() throws {
        let count = Locked(0)
        let threads = try (0..<8).map { number in
            try SystemThread("count-\(number)") {
                for _ in 0..<20_000 { count.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(count.withLock { $0 } == 160_000)
    }

    @Test func errorsKeepTheirTypeAndReleaseTheLock() {
        let locked = Locked(1)
        let monitor = Monitor(2)
        let lock = ThreadLock()
        func refusal(_ body: () throws(Refusal) -> Void) -> Int? {
            do throws(Refusal) {
                try body()
                return nil
            } catch {
                return error.number
            }
        }
        #expect(
            refusal { () throws(Refusal) in
                try locked.withLock { value throws(Refusal) in throw Refusal(number: value) }
            } == 1
        )
        #expect(
            refusal { () throws(Refusal) in
                try monitor.change { value throws(Refusal) in throw Refusal(number: value) }
            } == 2
        )
        #expect(
            refusal { () throws(Refusal) in
                try lock.withLock { () throws(Refusal) in throw Refusal(number: 3) }
            } == 3
        )
        #expect(locked.withLockIfAvailable { $0 } == 1)
        #expect(monitor.withLock { $0 } == 2)
        lock.withLock {}
    }

    @Test func aLockThatIsHeldIsNotAvailable() throws {
        let value = Locked(1)
        let steps = Monitor(0)
        let holder = try SystemThread("holder") {
            value.withLock { _ in
                steps.change { $0 = 1 }
                steps.wait(until: { $0 == 2 })
            }
        }
        steps.wait(until: { $0 == 1 })
        #expect(value.withLockIfAvailable { $0 } == nil)
        steps.change { $0 = 2 }
        holder.join()
        #expect(value.withLockIfAvailable { $0 } == 1)
    }

    @Test func aValueEndsWithItsLock() {
        final class Probe {
            let ended: Locked<Int>
            init(_ ended: Locked<Int>) { self.ended = ended }
            deinit { ended.withLock { $0 += 1 } }
        }
        let ended = Locked(0)
        do {
            let locked = Locked<Probe?>(Probe(ended))
            let monitor = Monitor<Probe?>(Probe(ended))
            #expect(locked.withLock { $0 != nil } && monitor.withLock { $0 != nil })
        }
        #expect(ended.withLock { $0 } == 2)
    }

    // MARK: Waiting

    @Test func conditionsRunOnTheMonotonicClock() {
        var attributes = SystemCondition.attributes()
        defer { pthread_condattr_destroy(&attributes) }
        var clock = clockid_t()
        #expect(pthread_condattr_getclock(&attributes, &clock) == 0)
        #expect(clock == CLOCK_MONOTONIC)
    }

    /// A deadline of one clock is long past or decades away on another.
    @Test func aTimedWaitLastsItsTime() {
        let monitor = Monitor(0)
        let start = MonotonicTime.now
        #expect(monitor.wait(atMost: .milliseconds(60), for: { $0 == 1 ? $0 : nil }) == nil)
        let lasted = MonotonicTime.now - start
        #expect(lasted >= .milliseconds(60) && lasted < .seconds(20))

        let lock = ThreadLock()
        let deadline = MonotonicTime.now + .milliseconds(60)
        lock.withLock { while lock.wait(until: deadline) {} }
        #expect(MonotonicTime.now >= deadline)
    }

    @Test func aTimedWaitEndsWithTheChange() throws {
        let monitor = Monitor(0)
        let thread = try SystemThread("change") {
            for number in 1...1_000 { monitor.change { $0 = number } }
        }
        #expect(monitor.wait(atMost: .seconds(600), for: { $0 == 1_000 ? "seen" : nil }) == "seen")
        thread.join()
    }

    @Test func noTimeIsNoWait() {
        let monitor = Monitor(7)
        #expect(monitor.wait(atMost: .zero, for: { $0 }) == 7)
        #expect(monitor.wait(atMost: .seconds(-5), for: { $0 == 8 ? $0 : nil }) == nil)
        let lock = ThreadLock()
        lock.withLock {
            lock.wait(nanoseconds: 0)
            lock.wait(nanoseconds: .min)
        }
    }

    @Test func anEndlessLimitDoesNotOverflow() throws {
        let monitor = Monitor(false)
        let thread = try SystemThread("end") { monitor.change { $0 = true } }
        #expect(monitor.wait(atMost: .seconds(Int64.max), for: { $0 ? true : nil }) == true)
        thread.join()
        #expect(MonotonicTime.now.advanced(byNanoseconds: .max) == MonotonicTime(nanoseconds: .max))
        #expect(MonotonicTime.now + .seconds(Int64.max) > .now)
    }

    @Test func oneChangeForOneWakesOneOfMany() throws {
        let monitor = Monitor((tickets: 0, taken: 0))
        let threads = try (0..<4).map { number in
            try SystemThread("taker-\(number)") {
                monitor.wait(for: { state -> Void? in
                    guard state.tickets > 0 else { return nil }
                    state.tickets -= 1
                    state.taken += 1
                    return ()
                })
            }
        }
        for _ in 0..<4 { monitor.changeForOne { $0.tickets += 1 } }
        for thread in threads { thread.join() }
        #expect(monitor.withLock { $0.taken } == 4)
        #expect(monitor.withLock { $0.tickets } == 0)
    }

    @Test func aThreadLockHandsOverAndBroadcasts() throws {
        final class Queue: @unchecked Sendable {
            // Unchecked: the lock guards the fields.
            let lock = ThreadLock()
            var items: [Int] = []
            var isClosed = false
        }
        let queue = Queue()
        let sum = Locked(0)
        let takers = try (0..<3).map { number in
            try SystemThread("taker-\(number)") {
                while true {
                    let item = queue.lock.withLock { () -> Int? in
                        while queue.items.isEmpty, !queue.isClosed { queue.lock.wait() }
                        return queue.items.popLast()
                    }
                    guard let item else { return }
                    sum.withLock { $0 += item }
                }
            }
        }
        for number in 1...1_000 {
            queue.lock.withLock { queue.items.append(number) }
            queue.lock.signal()
        }
        queue.lock.lock()
        queue.isClosed = true
        queue.lock.unlock()
        queue.lock.broadcast()
        for taker in takers { taker.join() }
        #expect(sum.withLock { $0 } == 500_500)
    }
}
