import Testing

@testable import Sagamore

struct RunCacheTests {
    private typealias Cache = RunCache<String, Int>
    private let start = ContinuousClock.now

    private func isCrowded(_ cache: inout Cache, at now: ContinuousClock.Instant) -> Bool { cache.isCrowded(at: now) }

    private func run(_ begin: Cache.Begin) -> String? {
        if case .go(let run) = begin { return run ?? "none" }
        return nil
    }

    @Test func aRunStaysUntilOthersNeedThePlace() {
        var cache = Cache(limit: 2)
        for id in ["a", "b"] {
            #expect(run(cache.begin(id, 1)) == "none")
            #expect(cache.end(id, keeping: "run-" + id, at: start).evicted.isEmpty)
        }
        // Used again: now b is the oldest.
        #expect(run(cache.begin("a", 2)) == "run-a")
        #expect(cache.end("a", keeping: "run-a", at: start).evicted.isEmpty)
        _ = cache.begin("c", 3)
        #expect(cache.end("c", keeping: "run-c", at: start).evicted == ["run-b"])
        #expect(cache.count == 2)
        #expect(run(cache.begin("b", 4)) == "none")
    }

    /// New runs wait while the oldest cached run was used a moment ago; idle runs are evicted for them.
    @Test func newRunsWaitForThoseThatAreAtWork() {
        var cache = Cache(limit: 2)
        _ = cache.begin("a", 1)
        _ = cache.end("a", keeping: "run-a", at: start)
        #expect(isCrowded(&cache, at: start) == false)
        _ = cache.begin("b", 1)
        _ = cache.end("b", keeping: "run-b", at: start + .milliseconds(500))
        #expect(isCrowded(&cache, at: start + Cache.hot - .milliseconds(1)) == true)
        #expect(isCrowded(&cache, at: start + Cache.hot) == false)
        _ = cache.begin("a", 2)
        _ = cache.end("a", keeping: "run-a", at: start + Cache.hot)
        #expect(isCrowded(&cache, at: start + Cache.hot + .milliseconds(200)) == true)
        _ = cache.begin("b", 2)
        _ = cache.end("b", keeping: nil, at: start + Cache.hot + .milliseconds(200))
        #expect(isCrowded(&cache, at: start + Cache.hot + .milliseconds(200)) == false)
    }

    /// Evicting a run must not drop its waiting tasks.
    @Test func aRunForWhichTasksWaitIsNotLetGo() {
        var cache = Cache(limit: 1)
        _ = cache.begin("y", 1)
        _ = cache.end("y", keeping: "run-y", at: start)
        _ = cache.begin("y", 2)
        for task in 1...3 { _ = cache.begin("x", task) }
        let end = cache.end("x", keeping: "run-x", at: start)
        #expect(end.next == 2 && end.evicted.isEmpty)
        #expect(run(cache.begin("x", 2)) == "run-x")
        #expect(cache.end("x", keeping: "run-x", at: start).next == 3)
    }

    @Test func aRunAtWorkIsNotLetGo() {
        var cache = Cache(limit: 1)
        _ = cache.begin("a", 1)
        _ = cache.end("a", keeping: "run-a", at: start)
        #expect(run(cache.begin("a", 2)) == "run-a")
        _ = cache.begin("b", 3)
        // The idle run is evicted, although it is newer.
        #expect(cache.end("b", keeping: "run-b", at: start).evicted == ["run-b"])
        #expect(cache.end("a", keeping: "run-a", at: start).evicted.isEmpty)
        #expect(run(cache.begin("a", 4)) == "run-a")
    }

    @Test func oneTaskOfARunAtATime() {
        var cache = Cache(limit: 5)
        #expect(run(cache.begin("a", 1)) == "none")
        guard case .waits = cache.begin("a", 2), case .waits = cache.begin("a", 3) else {
            Issue.record("a second task of the same run went on")
            return
        }
        #expect(cache.end("a", keeping: "run", at: start).next == 2)
        #expect(run(cache.begin("a", 2)) == "run")
        #expect(cache.end("a", keeping: nil, at: start).next == 3)
        #expect(run(cache.begin("a", 3)) == "none")
        #expect(cache.end("a", keeping: nil, at: start).next == nil)
        #expect(cache.count == 0)
    }

    @Test func anAbandonedRunIsNotRunAgain() {
        var cache = Cache(limit: 5)
        _ = cache.begin("a", 1)
        _ = cache.begin("a", 2)
        #expect(cache.abandon("a") == [2])
        guard case .abandoned = cache.begin("a", 3) else {
            Issue.record("an abandoned run went on")
            return
        }
        // The abandoned thread returns after all.
        #expect(cache.end("a", keeping: "run", at: start).evicted.isEmpty)
        #expect(cache.count == 0)
    }

    @Test func theOrderDoesNotGrowWithUse() {
        var cache = Cache(limit: 3)
        for round in 0..<10_000 {
            let id = "\(round % 3)"
            _ = cache.begin(id, round)
            #expect(cache.end(id, keeping: id, at: start).evicted.isEmpty)
        }
        #expect(cache.order.count < 100)
        #expect(cache.takeAll().sorted() == ["0", "1", "2"])
        #expect(cache.count == 0)
    }
}
