import SagamoreEngine
import SagamoreSimulatedTime
import SagamoreSimulatedWorkers
import Testing

@Suite struct SimulatedSagaTests {
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func sagasWithoutFaultsEndAsTheirScriptsSay(seed: UInt64) {
        var plan = ClientPlan.plain("client")
        plan.sagas = 100
        let world = SmallWorld(seed: seed, plan)
        world.run()
        #expect(world.client.isDone)
        let outcomes = world.outcomes()
        #expect(world.allViolations == [])
        #expect(outcomes.count == 100)
        for (id, outcome) in zip(world.service.order, outcomes) {
            let script = world.script(of: id)
            let expected: SagaOutcome.State = script.isExpectedToFinish ? .finished : .undone(wasCancelled: false)
            #expect(outcome?.state == expected, "\(script)")
        }
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func sagasWithAllRequestsEnd(seed: UInt64) {
        var plan = ClientPlan("client")
        plan.sagas = 100
        let world = SmallWorld(seed: seed, plan, workers: 2)
        world.run()
        #expect(world.client.isDone)
        #expect(world.outcomes().allSatisfy { $0?.isOpen == false })
        #expect(world.allViolations == [])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func sagasEndInSpiteOfAllFaults(seed: UInt64) {
        let world = chaos(seed: seed)
        #expect(world.client.isDone)
        #expect(world.outcomes().allSatisfy { $0?.isOpen == false })
        #expect(world.allViolations == [])
    }

    /// A world in which everything goes wrong at times.
    func chaos(seed: UInt64, log: Int = 0) -> SmallWorld {
        var plan = ClientPlan("client")
        plan.sagas = 60
        plan.terminations = 0.1
        let world = SmallWorld(
            seed: seed,
            plan,
            workers: 3,
            faults: WorkerFaults(rate: 0.03),
            network: NetworkFaults(rate: 0.03),
            logLimit: log
        )
        if seed % 2 == 0 { world.service.pageLimit = 5 }
        var chance = SeededRandom(seed: seed)
        world.run {
            if chance.below(2_000) == 0 { world.restartService() }
            if chance.below(2_000) == 0, let worker = chance.pick(world.workers) {
                if chance.below(4) == 0 { worker.shutDown() } else { worker.kill(isNoticed: chance.below(2) == 0) }
                worker.start()
            }
            if chance.below(4_000) == 0 {
                world.client.kill()
                world.client.start()
            }
        }
        return world
    }

    @Test func allPathsAndFaultsOccur() {
        var sums: [String: Int] = [:]
        for seed in 1...10 as ClosedRange<UInt64> {
            let world = chaos(seed: seed)
            let rows = world.workers.flatMap(\.counts.rows) + world.client.counts.rows + world.network.counts.rows
            for row in rows { sums[row.name, default: 0] += row.count }
        }
        let missing = sums.filter { $0.value == 0 }.keys.sorted()
        // This service is always reachable, and stray runs are rare.
        #expect(missing.filter { $0 != "unreachable" && $0 != "strayRuns" } == [])
    }

    @Test func theSameSeedGivesTheSameWorld() {
        func digest() -> UInt64 {
            let world = SmallWorld(
                seed: 7,
                ClientPlan("client"),
                workers: 2,
                faults: WorkerFaults(rate: 0.02),
                network: NetworkFaults(rate: 0.02)
            )
            world.run()
            return world.scheduler.log.digest
        }
        #expect(digest() == digest())
    }
}
