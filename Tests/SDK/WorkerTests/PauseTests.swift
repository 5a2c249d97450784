import Foundation
import SagamoreThreads
import Synchronization
import Testing

@testable import Sagamore

struct PauseTests {
    /// Blocking tasks can occupy all cooperative threads. Heartbeats and polls must not depend on those.
    @Test func itEndsWhileAllThreadsOfTasksAreBlocked() async {
        await #expect(processExitsWith: .success) {
            let threads = ProcessInfo.processInfo.activeProcessorCount
            let blocked = Monitor(0)
            for _ in 0..<threads * 4 {
                Task.detached {
                    blocked.change { $0 += 1 }
                    Self.block()
                }
            }
            let ended = Monitor(false)
            _ = SystemThread.required("observer") {
                // This task takes one of the threads.
                _ = blocked.wait { $0 >= threads - 1 ? $0 : nil }
                Pause.after(.milliseconds(50)) { ended.change { $0 = true } }
                exit(ended.wait(atMost: .seconds(20)) { $0 ? true : nil } == true ? EXIT_SUCCESS : EXIT_FAILURE)
            }
            Self.block()
        }
    }

    private static func block() {
        Thread.sleep(forTimeInterval: 60)
        exit(EXIT_FAILURE)
    }

    @Test func itIsDoneOnce() async throws {
        let notes = Notes()
        let early = Pause { notes.add("early") }
        early.begin(.milliseconds(30))
        early.end()
        early.end()
        let beforeItBegan = Pause { notes.add("before it began") }
        beforeItBegan.end()
        beforeItBegan.begin(.zero)
        let cancelled = Pause.after(.milliseconds(20)) { notes.add("cancelled") }
        cancelled.cancel()
        cancelled.end()
        let started = ContinuousClock.now
        Pause.after(.milliseconds(60)) { notes.add("late") }
        try await eventually("the last one ends") { notes.all.count >= 3 }
        #expect(ContinuousClock.now - started >= .milliseconds(60))
        #expect(notes.all == ["early", "before it began", "late"])
    }

    /// A pause releases everything it holds when it is over.
    @Test func itKeepsNothing() async throws {
        final class Kept: Sendable {}
        weak var ended: Kept?
        weak var cancelled: Kept?
        do {
            let kept = Kept()
            ended = kept
            Pause.after(.milliseconds(1)) { withExtendedLifetime(kept) {} }
            let other = Kept()
            cancelled = other
            Pause.after(.seconds(60)) { withExtendedLifetime(other) {} }.cancel()
        }
        try await eventually("both are gone") { ended == nil && cancelled == nil }
    }
}
