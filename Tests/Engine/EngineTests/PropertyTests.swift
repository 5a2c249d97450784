import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// Random request sequences. `SAGAMORE_ENGINE_SEED` repeats the sequence that a failure names,
/// `SAGAMORE_ENGINE_SEQUENCES` sets their number, and `SAGAMORE_ENGINE_TABLE` prints their coverage.
@Suite struct PropertyTests {
    @Test func randomSequencesKeepEveryRule() async throws {
        let environment = ProcessInfo.processInfo.environment
        let repeated = environment["SAGAMORE_ENGINE_SEED"].flatMap(UInt64.init)
        let first = repeated ?? UInt64.random(in: 0 ... .max)
        let count = environment["SAGAMORE_ENGINE_SEQUENCES"].flatMap(Int.init) ?? (repeated == nil ? 2_000 : 1)
        print("engine property test: \(count) sequences from seed \(first)")
        let taskCount = 2
        let coverage = try await withThrowingTaskGroup(of: Coverage.self) { group in
            for task in 0..<taskCount {
                group.addTask {
                    var coverage = Coverage()
                    for index in stride(from: task, to: count, by: taskCount) {
                        try Task.checkCancellation()
                        let world = World(seed: first &+ UInt64(index))
                        try world.run(steps: 50)
                        coverage.merge(world.coverage)
                    }
                    return coverage
                }
            }
            return try await group.reduce(into: Coverage()) { $0.merge($1) }
        }
        if environment["SAGAMORE_ENGINE_TABLE"] != nil { print(coverage.table) }
        // A single repeated sequence does not cover everything.
        guard count > 1 else { return }
        #expect(coverage.missing.isEmpty, "never happened: \(coverage.missing)\n\(coverage.table)")
    }

    /// Shows that the coverage check can fail.
    @Test func oneSequenceDoesNotReachFullCoverage() throws {
        let world = World(seed: 7)
        try world.run(steps: 50)
        #expect(!world.coverage.missing.isEmpty)
    }
}
