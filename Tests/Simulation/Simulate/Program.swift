internal import Glibc
internal import SagamoreCommandLineArguments
internal import SagamoreSimulation

/// The program behind `scripts/simulate`.
@main
enum Program {
    static let seed = Option<Int?>("--seed", help: "The first seed. Default: by chance; it is printed.")
    static let runs = Option<Int?>("--runs", help: "The number of seeds. Default: 100, or without end with --seconds.")
    static let seconds = Option<Int?>("--seconds", help: "Begin no further seed after this time.")
    static let sagas = Option<Int>("--sagas", default: 100, help: "The sagas of each seed.")
    static let workers = Option<Int>("--workers", default: 2, help: "The workers of each seed.")
    static let clients = Option<Int>("--clients", default: 2, help: "The clients of each seed.")
    static let commands = Option<Int?>(
        "--commands",
        help: "The percentage of sagas that begin with a command from Kafka. Default: by the seed."
    )
    static let jobs = Option<Int?>("--jobs", help: "Seeds at a time. Default: the number of cores.")
    static let faults = Option<String>(
        "--faults",
        default: "some",
        help: """
            What goes wrong: 'some' of all kinds by the seed, 'all', 'none', or names with commas, each with '=RATE' \
            if it is to be another than usual.
            """
    )
    static let without = Option<String?>("--without", help: "Kinds of faults that do not happen, with commas.")
    static let fixedLimits = Flag("--fixed-limits", help: "The limits and times of production, not drawn by the seed.")
    static let plant = Option<String?>("--plant", help: "A defect that has to be found; 'all' plants each in turn.")
    static let digests = Flag("--digests", help: "Print the digest of each seed, to compare two runs.")
    static let list = Flag("--list", help: "List the kinds of faults and the defects that can be planted.")
    static let log = Option<Int>("--log", default: 200, help: "The last steps of a failure that are printed.")

    static let command = Command(
        "simulate",
        abstract: "Runs the whole service in a simulated world, once for each seed.",
        discussion: "It exits with 1 at the first failure, after shrinking it. docs/SIMULATION.md explains the output.",
        parameters: [
            seed, runs, seconds, sagas, workers, clients, commands, jobs, faults, without, fixedLimits, plant, digests,
            list, log,
        ]
    ) { values in
        if values[list] { return print(Report.lists()) }
        var settings = WorldSettings(seed: 0)
        settings.sagas = values[sagas]
        settings.workers = values[workers]
        settings.clients = values[clients]
        settings.commandShare = values[commands].map { Double($0) / 100 }
        settings.drawsLimits = !values[fixedLimits]
        try FaultsArgument.read(values[faults], into: &settings)
        settings.excludedFaults = try FaultsArgument.kinds(values[without] ?? "")
        let first = values[seed].map { UInt64(bitPattern: Int64($0)) } ?? UInt64.random(in: 0..<1_000_000_000)
        var plan = Plan(settings, first: first)
        plan.runs = values[runs] ?? (values[seconds] == nil ? 100 : .max)
        plan.seconds = values[seconds]
        plan.jobs = values[jobs] ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        plan.printsDigests = values[digests]
        plan.logLimit = values[log]
        if let name = values[plant] { return try plantDefects(name, plan) }
        let outcome = Runner(plan).run()
        print(Report.text(outcome, plan), terminator: "")
        if let failure = outcome.failure {
            print(Report.text(failure, logLimit: plan.logLimit), terminator: "")
            throw ExitCode.failure
        }
    }

    /// Each defect has to be found.
    private static func plantDefects(_ name: String, _ plan: Plan) throws {
        let defects: [PlantedDefect]
        if name == "all" {
            defects = PlantedDefect.allCases
        } else if let defect = PlantedDefect(rawValue: name) {
            defects = [defect]
        } else {
            throw UsageError("'--plant' expects 'all' or a name that '--list' shows, not '\(name)'")
        }
        var missed: [String] = []
        for defect in defects {
            var plan = plan
            plan.settings.plantedBug = defect
            plan.shrinks = false
            plan.seconds = plan.seconds ?? 60
            let outcome = Runner(plan).run()
            if let failure = outcome.failure {
                print(
                    "\(defect.rawValue): found by '\(failure.violation.check)' after \(Report.seconds(outcome.elapsed))"
                )
                print("    seed \(failure.settings.seed): \(failure.violation.finding)")
            } else {
                print("\(defect.rawValue): NOT FOUND in \(outcome.seeds) seeds, \(Report.seconds(outcome.elapsed))")
                missed.append(defect.rawValue)
            }
        }
        if !missed.isEmpty { throw ExitCode.failure }
    }

    static func main() async {
        exit(await command.run())
    }
}
