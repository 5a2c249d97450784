internal import SagamoreEngine
internal import SagamoreSimulatedDatabase
internal import SagamoreSimulatedTime
internal import SagamoreSimulatedWorkers

/// What goes wrong from time to time.
extension World {
    private static let occasional: [FaultKind] = [
        .tableMissing, .outOfMemory, .databaseCrash, .databaseWentBack, .slicesMove, .serverKill, .serverRestart,
        .serverPause, .clockStep, .workerKill, .workerShutdown, .clientKill, .brokerAway, .recordsLate, .rebalance,
        .memoryPressure,
    ]

    func scheduleFaults() {
        for kind in Self.occasional where faults[kind] > 0 { scheduleNext(kind) }
    }

    /// The time between two faults of a kind is drawn so that their number a minute is the rate, on average.
    private func scheduleNext(_ kind: FaultKind) {
        let mean = 60 / faults[kind]
        let seconds = -mean * Self.logarithm(of: Double(chance.within(1...1_000_000)) / 1_000_000)
        scheduler.schedule("fault", of: fate, after: .milliseconds(1 + Int64(seconds * 1_000))) { [self] in
            guard !isCalm else { return }
            exercise.count(.faults, kind.rawValue)
            scheduler.note(kind.rawValue)
            happen(kind)
            scheduleNext(kind)
        }
    }

    private func happen(_ kind: FaultKind) {
        switch kind {
        case .tableMissing: trouble(.tableMissing, longest: 15_000)
        case .outOfMemory: trouble(.outOfMemory(rows: chance.within(3...40)), longest: 15_000)
        case .databaseCrash: crashDatabase()
        case .databaseWentBack: takeDatabaseBack()
        case .slicesMove: moveSlices()
        case .serverKill: killServer()
        case .serverRestart: restartServer()
        case .serverPause: pauseServer()
        case .clockStep: stepClock()
        case .memoryPressure: pushRunsOut(chance.within(10...200))
        case .workerKill: restart(chance.pick(workers)) { [self] in $0.kill(isNoticed: chance.happens(0.5)) }
        case .workerShutdown: restart(chance.pick(workers)) { $0.shutDown() }
        case .clientKill:
            guard let client = chance.pick(clients) else { return }
            client.kill()
            later("start client", most: 5_000) { client.start() }
        case .brokerAway, .recordsLate, .rebalance: happenToBroker(kind)
        default: preconditionFailure("\(kind.rawValue) happens to something that is done")
        }
    }

    /// Does something after a while of at most so many milliseconds.
    private func later(_ label: StaticString, most milliseconds: Int, _ body: @escaping () -> Void) {
        let delay = Interval.milliseconds(Int64(chance.within(1...milliseconds)))
        scheduler.schedule(label, of: fate, after: delay, body)
    }

    // MARK: The database

    private func trouble(_ trouble: DatabaseFaults.Trouble, longest milliseconds: Int) {
        let length = Interval.milliseconds(Int64(chance.within(1...milliseconds)))
        databaseFaults.begin(trouble, until: scheduler.now + length)
    }

    private func crashDatabase() {
        database.crash(losing: chance.below(20))
        trouble(.away, longest: 20_000)
    }

    private func takeDatabaseBack() {
        let lost = database.rollBack(commits: chance.within(1...50))
        scheduler.note("\(lost) transactions are lost")
        trouble(.away, longest: 5_000)
        guard lost > 0 else { return }
        isHistoryRewritten = true
        rewrittenAt = scheduler.now
        commitCheck.historyWasRewritten()
        kafka?.check.historyWasRewritten()
        // What workers have in memory never happened: they would report it as an error in workflow code.
        for worker in workers { restart(worker) { $0.kill(isNoticed: true) } }
    }

    private func moveSlices() {
        do {
            let (before, moved) = try database.rebalance(shardCount: chance.within(1...4))
            scheduler.note("\(moved) slices move from \(before) shards")
        } catch {
            // A transaction holds a row: an operator tries again.
            later("move slices", most: 5_000) { [self] in if !isCalm { moveSlices() } }
        }
    }

    // MARK: Servers

    private func killServer() {
        guard let server = chance.pick(servers.filter { $0.state != .down }) else { return }
        server.kill()
        later("start server", most: 15_000) { server.start() }
    }

    private func restartServer() {
        guard let server = chance.pick(servers.filter { $0.state == .running }) else { return }
        server.stop()
        // It may not come to its end by itself: then it is killed, as a process manager does.
        let count = server.startCount
        scheduler.schedule("start server", of: fate, after: .seconds(10)) {
            if server.state == .stopping, server.startCount == count { server.kill() }
            server.start()
        }
    }

    /// Stops a server so long that the other one can take its shards.
    private func pauseServer() {
        if let server = servers.first(where: { $0.isReady }) { pause(server) }
    }

    private func pause(_ server: SimulatedServer) {
        server.pause(for: .milliseconds(Int64(chance.within(500...40_000))))
        for other in servers where other !== server { other.start() }
        shuffleRoutes(10)
    }

    /// A server may be paused before it sends a commit, which it sends when it wakes.
    func pauseWithinCommit(_ process: SimulatedProcess) {
        guard !isCalm, faults[.commitPause] > 0, chance.happens(faults[.commitPause]),
            let server = servers.first(where: { $0.process === process })
        else { return }
        exercise.count(.faults, FaultKind.commitPause.rawValue)
        scheduler.note(FaultKind.commitPause.rawValue)
        pause(server)
    }

    /// Clients find now one server, now the other.
    private func shuffleRoutes(_ times: Int) {
        guard times > 0 else { return }
        later("route", most: 10_000) { [self] in
            route()
            shuffleRoutes(times - 1)
        }
    }

    private func pushRunsOut(_ times: Int) {
        guard times > 0, !isCalm else { return }
        for server in servers { server.pushRunsOut() }
        later("push runs out", most: 200) { [self] in pushRunsOut(times - 1) }
    }

    private func stepClock() {
        guard let server = chance.pick(servers) else { return }
        let milliseconds = Int64(chance.within(1...60_000))
        let step = Interval.milliseconds(chance.happens(0.5) ? milliseconds : -milliseconds)
        scheduler.note("the clock of \(server.process.name) is off by \(step.nanoseconds / 1_000_000) ms")
        server.process.clockOffset = step
    }

    // MARK: Workers

    private func restart(_ worker: SimulatedWorker?, _ end: (SimulatedWorker) -> Void) {
        guard let worker else { return }
        end(worker)
        later("start worker", most: 5_000) { worker.start() }
    }

    // MARK: The end of all faults

    /// Faults end, and everybody is there.
    func endFaults() {
        becomeCalm()
        databaseFaults.rates = .none
        databaseFaults.begin(.none, until: .distantPast)
        network.faults.lostRequests = 0
        network.faults.lostAnswers = 0
        network.faults.repeatedRequests = 0
        network.faults.delays = 0
        endBrokerFaults()
        for worker in workers {
            worker.faults = FaultRates.none.ofWorkers
            worker.start()
        }
        for client in clients { client.start() }
        if !servers.contains(where: { $0.state == .running }) { servers[0].start() }
        for server in servers { server.process.clockOffset = .zero }
        keepRouting()
    }

    /// A server that waits for the shards of another one answers nothing: clients look for one that does.
    private func keepRouting() {
        if let ready = servers.first(where: { $0.isReady && $0.reachable != nil }) {
            if servers.filter({ $0.reachable != nil }).count > 1 { address.service = ready.reachable }
        } else if !servers.contains(where: { $0.state != .down }) {
            servers[0].start()
        }
        scheduler.schedule("look for a server", of: fate, after: .seconds(5)) { [self] in keepRouting() }
    }

    /// The natural logarithm, the same to the last bit on any machine, unlike the C library's.
    private static func logarithm(of value: Double) -> Double {
        // value = fraction * 2^exponent, with the fraction from 1 to 2.
        let fraction = value.significand
        let ratio = (fraction - 1) / (fraction + 1)
        let square = ratio * ratio
        var term = ratio
        var sum = 0.0
        for power in stride(from: 1, to: 40, by: 2) {
            sum += term / Double(power)
            term *= square
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}

extension FaultRates {
    /// The faults of workers.
    var ofWorkers: WorkerFaults {
        var faults = WorkerFaults()
        faults.forgottenTasks = self[.taskForgotten]
        faults.failedTasks = self[.taskFailed]
        faults.lateTasks = self[.taskLate]
        faults.evictions = self[.eviction]
        faults.forcedTasks = self[.taskForced]
        faults.forgottenAttempts = self[.attemptForgotten]
        faults.lateAttempts = self[.attemptLate]
        faults.repeatedAnswers = self[.oldAnswer]
        return faults
    }
}
