internal import SagamoreSimulation

/// What the program prints.
enum Report {
    static func seconds(_ value: Double) -> String { "\(decimal(value)) s" }

    private static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    static func progress(_ outcome: RunOutcome, elapsed: Double) -> String {
        let rate = elapsed > 0 ? Int(Double(outcome.sagas) / elapsed) : 0
        return "\(outcome.seeds) seeds, \(outcome.sagas) sagas, \(rate) sagas/s"
    }

    static func text(_ outcome: RunOutcome, _ plan: Plan) -> String {
        var text = ""
        if plan.printsDigests {
            for (seed, digest) in outcome.digests.sorted(by: { $0.key < $1.key }) {
                text += "\(seed) \(String(digest, radix: 16))\n"
            }
            return text
        }
        for table in Exercise.Table.allCases {
            let rows = outcome.exercise.rows(table)
            guard !rows.isEmpty else { continue }
            text += "\(table.rawValue)\n"
            for row in rows {
                let count = row.count == 0 ? "never" : String(row.count)
                text +=
                    "    " + String(repeating: " ", count: max(0, 10 - count.count)) + count + "  " + row.name + "\n"
            }
        }
        let perCore = outcome.processor > 0 ? Int(Double(outcome.sagas) / outcome.processor) : 0
        text += "seeds \(plan.first) to \(plan.first &+ UInt64(max(1, outcome.seeds)) &- 1): "
        text += "\(outcome.sagas) sagas in \(outcome.steps) steps, \(seconds(outcome.elapsed)), "
        text += "\(Int(Double(outcome.sagas) / max(outcome.elapsed, 0.001))) sagas/s, \(perCore) a second of a core\n"
        if outcome.failure == nil { text += "All checks passed.\n" }
        return text
    }

    static func text(_ failure: FailedWorld, logLimit: Int) -> String {
        var text = "\nFAILED: \(failure.violation.check)\n    \(failure.violation.finding)\n"
        if failure.tries > 0 { text += "The smallest world of \(failure.tries) that fails so:\n" }
        text += "    scripts/simulate \(arguments(failure.settings))\n"
        text += "It was first seen with:\n    scripts/simulate \(arguments(failure.original))\n"
        if !failure.history.isEmpty {
            text += "\nThe histories of the runs as they are stored:\n"
            for line in failure.history { text += "    \(line)\n" }
        }
        if !failure.lines.isEmpty {
            text += "\nThe last \(failure.lines.count) lines of its log (seconds, who, what):\n"
            for line in failure.lines { text += "\(line)\n" }
        }
        return text
    }

    /// The arguments that run a world again.
    private static func arguments(_ settings: WorldSettings) -> String {
        var text = "--seed \(settings.seed) --runs 1 --sagas \(settings.sagas) --clients \(settings.clients)"
        text += " --workers \(settings.workers) --faults \(FaultsArgument.text(settings))"
        if !settings.excludedFaults.isEmpty {
            text += " --without " + settings.excludedFaults.map(\.rawValue).sorted().joined(separator: ",")
        }
        if let share = settings.commandShare { text += " --commands \(Int((share * 100).rounded()))" }
        if !settings.drawsLimits { text += " --fixed-limits" }
        return text
    }

    static func lists() -> String {
        var text = "Faults (for --faults), with their usual rates:\n"
        for kind in FaultKind.allCases { text += "    \(kind.rawValue)=\(FaultRates.all[kind])\n" }
        text += "Defects (for --plant):\n"
        for defect in PlantedDefect.allCases { text += "    \(defect.rawValue)\n" }
        return text
    }
}
