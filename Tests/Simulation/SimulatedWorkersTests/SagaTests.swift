import SagamoreEngine
import SagamoreSimulatedTime
import SagamoreSimulatedWorkers
import Testing

@Suite struct SagaTests {
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
    func sagasEndInspiteOfAllFaults(seed: UInt64) {
        var plan = ClientPlan("client")
        plan.sagas = 60
        let world = SmallWorld(
            seed: seed,
            plan,
            workers: 3,
            faults: WorkerFaults(rate: 0.03),
            network: NetworkFaults(rate: 0.03)
        )
        if seed % 2 == 0 { world.service.pageLimit = 5 }
        var chance = SeededRandom(seed: seed)
        world.run {
            if chance.below(2_000) == 0 { world.service.restart() }
            if chance.below(2_000) == 0, let worker = chance.pick(world.workers) {
                if chance.below(4) == 0 { worker.shutDown() } else { worker.kill(isNoticed: chance.below(2) == 0) }
                worker.start()
            }
            if chance.below(4_000) == 0 {
                world.client.kill()
                world.client.start()
            }
        }
        #expect(world.client.isDone)
        #expect(world.outcomes().allSatisfy { $0?.isOpen == false })
        #expect(world.allViolations == [])
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
