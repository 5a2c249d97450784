internal import SagamoreEngine
internal import SagamoreSimulatedDatabase
internal import SagamoreSimulatedTime

/// Decides what goes wrong with each operation of the database.
struct DatabaseFaults {
    /// What is wrong for a while.
    enum Trouble: Equatable {
        case none
        /// No session can be made.
        case away
        /// A table is missing.
        case tableMissing
        /// Commits of more rows than this are refused.
        case outOfMemory(rows: Int)
    }

    var rates: FaultRates
    private var random: SeededRandom
    private var trouble = Trouble.none
    private var troubleEnds = Instant.distantPast

    init(_ rates: FaultRates, _ random: SeededRandom) {
        self.rates = rates
        self.random = random
    }

    /// Whether something is wrong for a while.
    func isTroubled(at now: Instant) -> Bool { now < troubleEnds && trouble != .none }

    /// Something is wrong until then.
    mutating func begin(_ trouble: Trouble, until end: Instant) {
        self.trouble = trouble
        troubleEnds = end
    }

    /// The fault of an operation, and its kind where it is one of those that are drawn for each operation.
    mutating func fault(of operation: DatabaseOperation, at now: Instant) -> (DatabaseFault, FaultKind?) {
        if now < troubleEnds {
            switch trouble {
            case .none: break
            case .away: return (.connectionLost, nil)
            case .tableMissing: if operation.kind != .connect { return (.tableMissing, nil) }
            case .outOfMemory(let rows):
                if operation.kind == .commit { return (.refusedAbove(rows: rows, sqlState: "53200"), nil) }
            }
        }
        if random.happens(rates[.connectionLost]) { return (.connectionLost, .connectionLost) }
        guard operation.kind != .connect, !operation.kind.readsOnly else { return (.none, nil) }
        if random.happens(rates[.commitUnheard]) { return (.answerLost(isDone: true), .commitUnheard) }
        if random.happens(rates[.commitUndone]) { return (.answerLost(isDone: false), .commitUndone) }
        guard let batch = operation.commit?.batch else { return (.none, nil) }
        if random.happens(rates[.halfOpen]) {
            let until = SimulatedServer.epoch + (now - Instant(nanoseconds: 0))
            let length = Interval.milliseconds(Int64(random.within(100...15_000)))
            return (.hangs(until: until + length, isDone: random.happens(0.5)), .halfOpen)
        }
        if !batch.journal.isEmpty, random.happens(rates[.rowRefused]) {
            let row = batch.journal[random.below(batch.journal.count)]
            return (.refusedRun(row.runID, sqlState: "22003"), .rowRefused)
        }
        return (.none, nil)
    }
}
