import SagamoreThreads
import Synchronization
import Testing

@testable import SagamoreKafkaFront

/// A loop on a thread of its own.
struct LoopDriverTests {
    /// Ends the loop when it is asked to, and otherwise returns `wake`. Counts the steps.
    private final class Steps: Sendable {
        let count = Monitor(0)

        func start(_ loop: any DrivenLoop, _ wake: @escaping @Sendable (Int) -> Wake) {
            loop.start { { loop.isStopped ? nil : wake(self.next()) } }
        }

        private func next() -> Int {
            count.change {
                $0 += 1
                return $0
            }
        }

        func reach(_ number: Int) -> Bool {
            count.wait(atMost: .seconds(30), for: { $0 >= number ? true : nil }) ?? false
        }
    }

    @Test func `a ring ends a rest, also one that came before it`() {
        let (loop, steps) = (ThreadPerLoop().loop(.front), Steps())
        loop.ring()
        steps.start(loop) { _ in .ring(orAt: .now + .seconds(3_600)) }
        #expect(steps.reach(2))
        loop.ring()
        #expect(steps.reach(3))
        loop.stop()
        loop.join()
        #expect(steps.count.wait(atMost: .zero, for: { $0 }) == 3)
    }

    @Test func `a ring does not end a pause, its time and a stop do`() {
        let (loop, steps) = (ThreadPerLoop().loop(.publisher(7)), Steps())
        let began = ContinuousClock.now
        steps.start(loop) { number in .at(number == 1 ? began + .milliseconds(200) : .now + .seconds(3_600)) }
        #expect(steps.reach(1))
        loop.ring()
        #expect(steps.reach(2))
        #expect(ContinuousClock.now - began >= .milliseconds(200))
        loop.stop()
        loop.join()
        #expect(steps.count.wait(atMost: .zero, for: { $0 }) == 2)
    }

    @Test func `a loop that was not started is joined at once`() {
        let loop = ThreadPerLoop().loop(.submitter)
        loop.stop()
        loop.join()
        #expect(loop.isStopped)
    }
}
