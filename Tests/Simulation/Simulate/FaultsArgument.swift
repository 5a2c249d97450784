internal import SagamoreCommandLineArguments
internal import SagamoreSimulation

/// The value of `--faults`.
enum FaultsArgument {
    static func read(_ text: String, into settings: inout WorldSettings) throws(UsageError) {
        switch text {
        case "some": return
        case "all": settings.drawsFaults = false
        case "none":
            settings.drawsFaults = false
            settings.faults = .none
        default:
            settings.drawsFaults = false
            settings.faults = .none
            for part in text.split(separator: ",") {
                let words = part.split(separator: "=", maxSplits: 1).map(String.init)
                guard let kind = FaultKind(rawValue: words[0]) else {
                    throw UsageError("'--faults' knows no '\(words[0])'; '--list' shows the names")
                }
                guard let rate = words.count == 2 ? Double(words[1]) : FaultRates.all[kind], rate >= 0 else {
                    throw UsageError("'--faults' expects a rate from 0 on for '\(words[0])', not '\(words[1])'")
                }
                settings.faults[kind] = rate
            }
        }
    }

    /// The value of `--without`.
    static func kinds(_ text: String) throws(UsageError) -> Set<FaultKind> {
        var kinds: Set<FaultKind> = []
        for name in text.split(separator: ",") {
            guard let kind = FaultKind(rawValue: String(name)) else {
                throw UsageError("'--without' knows no '\(name)'; '--list' shows the names")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    /// The argument that gives these faults.
    static func text(_ settings: WorldSettings) -> String {
        if settings.drawsFaults { return "some" }
        let kinds = settings.faults.kinds
        if kinds.isEmpty { return "none" }
        return kinds.map { kind in
            let rate = settings.faults[kind]
            return rate == FaultRates.all[kind] ? kind.rawValue : "\(kind.rawValue)=\(rate)"
        }.joined(separator: ",")
    }
}
