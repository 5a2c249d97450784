import SagamoreEngine
import SagamoreSimulatedTime
import SagamoreSimulatedWorkers
import Testing

/// The ledgers and the replay find what a service does wrong.
@Suite struct PlantedBugTests {
    @Test(arguments: EngineBug.allCases)
    func plantedBugIsFound(bug: EngineBug) {
        let isFound = (1...20 as ClosedRange<UInt64>).contains { seed in
            var plan = ClientPlan("client")
            plan.sagas = 40
            plan.repeatedStarts = 0.5
            plan.extraSignals = 0.5
            plan.mix.heartbeats = 0.5
            plan.mix.retries = 0.3
            let world = SmallWorld(seed: seed, plan, workers: 3, network: NetworkFaults(rate: 0.02))
            world.service.bug = bug
            var chance = SeededRandom(seed: seed)
            world.run(limit: .seconds(300)) {
                if bug == .lostJournal, chance.below(500) == 0 { world.restartService() }
            }
            _ = world.outcomes()
            return !world.allViolations.isEmpty
        }
        #expect(isFound)
    }
}
