import SagamoreThreads
import Synchronization
import Testing

@testable import Sagamore

@Suite(.timeLimit(.minutes(1)))
struct WorkflowThreadsTests {
    @Test func jobsAreDoneAndAnswered() async {
        let threads = WorkflowThreads(count: 2)
        let answers = Monitor<Set<Int>>([])
        for number in 0..<100 {
            threads.submit(
                WorkflowThreads.Job(work: { { answers.change { _ = $0.insert(number) } } }, onOverrun: {})
            )
        }
        await onThread { answers.wait { $0.count == 100 ? () : nil } }
        #expect(threads.abandoned == 0)
        threads.stop()
    }

    @Test func aJobThatNeverEndsIsGivenUpAndOthersGoOn() async {
        let threads = WorkflowThreads(count: 1, limit: .milliseconds(20))
        let seen = Monitor<[String]>([])
        let mayEnd = Monitor(false)
        threads.submit(
            WorkflowThreads.Job(
                work: {
                    mayEnd.wait { $0 ? () : nil }
                    seen.change { $0.append("ended") }
                    return { seen.change { $0.append("answered") } }
                },
                onOverrun: { seen.change { $0.append("overrun") } }
            )
        )
        await onThread { seen.wait { $0 == ["overrun"] ? () : nil } }
        #expect(threads.abandoned == 1)
        threads.submit(WorkflowThreads.Job(work: { { seen.change { $0.append("other") } } }, onOverrun: {}))
        await onThread { seen.wait { $0 == ["overrun", "other"] ? () : nil } }
        // The late result of the abandoned thread is dropped: the watchdog has answered.
        mayEnd.change { $0 = true }
        await onThread { seen.wait { $0 == ["overrun", "other", "ended"] ? () : nil } }
        threads.submit(WorkflowThreads.Job(work: { { seen.change { $0.append("last") } } }, onOverrun: {}))
        await onThread { seen.wait { $0.last == "last" ? () : nil } }
        #expect(seen.withLock { $0 } == ["overrun", "other", "ended", "last"])
        #expect(threads.threads == 1)
        threads.stop()
    }
}
