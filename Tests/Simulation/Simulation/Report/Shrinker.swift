/// Makes a world that fails smaller, as long as the same check fails: fewer sagas, workers, clients, and faults.
public struct Shrinker {
    /// The smallest settings that were found, and their violation.
    public private(set) var settings: WorldSettings
    /// The violation of these settings.
    public private(set) var violation: Violation
    /// The worlds that were tried.
    public private(set) var tries = 0

    private let tryLimit: Int

    /// - Parameters:
    ///   - settings: of a world that failed.
    ///   - tryLimit: how many worlds are tried at most.
    public init(_ settings: WorldSettings, _ violation: Violation, tryLimit: Int = 200) {
        var settings = settings
        // It stays the same with another seed.
        settings.commandShare = World.commandShare(settings)
        self.settings = settings
        self.violation = violation
        self.tryLimit = tryLimit
    }

    /// Tries until nothing smaller fails.
    public mutating func shrink() {
        var isSmaller = true
        while isSmaller, tries < tryLimit {
            isSmaller = false
            for candidate in candidates() where tries < tryLimit && attempt(candidate) {
                isSmaller = true
                break
            }
        }
    }

    /// Smaller worlds, the smallest first.
    private func candidates() -> [WorldSettings] {
        var candidates: [WorldSettings] = []
        for sagas in [1, settings.sagas / 4, settings.sagas / 2, settings.sagas * 3 / 4, settings.sagas - 1]
        where sagas > 0 && sagas < settings.sagas {
            // Where few sagas are left it depends on chance whether they meet the fault.
            for offset in 0..<(sagas < 10 ? 8 : 3) as Range<UInt64> {
                var smaller = settings
                smaller.sagas = sagas
                smaller.clients = min(settings.clients, sagas)
                smaller.seed = settings.seed &+ offset
                candidates.append(smaller)
            }
        }
        for kind in World(settings).faults.kinds {
            var smaller = settings
            smaller.excludedFaults.insert(kind)
            candidates.append(smaller)
        }
        if settings.commandShare != 0 {
            var smaller = settings
            smaller.commandShare = 0
            candidates.append(smaller)
        }
        if settings.clients > 1 {
            var smaller = settings
            smaller.clients = 1
            candidates.append(smaller)
        }
        if settings.workers > 1 {
            var smaller = settings
            smaller.workers = 1
            candidates.append(smaller)
        }
        if settings.drawsLimits {
            var smaller = settings
            smaller.drawsLimits = false
            candidates.append(smaller)
        }
        return candidates
    }

    private mutating func attempt(_ candidate: WorldSettings) -> Bool {
        tries += 1
        guard case .failed(let found) = World(candidate).run(), found.check == violation.check else { return false }
        settings = candidate
        violation = found
        return true
    }
}
