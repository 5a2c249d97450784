internal import SagamoreEngine

/// The steps of a world: a digest of all, by which two runs are compared, and the text of the newest.
public struct StepLog {
    /// The steps whose text is kept.
    private let limit: Int
    private var entries: [Entry] = []
    private var oldest = 0
    /// FNV-1a of all steps and notes.
    public private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325

    private enum Entry {
        case step(StaticString, process: String, at: Instant)
        case note(String)
    }

    init(limit: Int) { self.limit = limit }

    mutating func began(_ label: StaticString, of process: SimulatedProcess, at now: Instant) {
        for byte in UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount) { mix(UInt64(byte)) }
        mix(UInt64(bitPattern: now.nanoseconds))
        if limit > 0 { keep(.step(label, process: process.name, at: now)) }
    }

    mutating func note(_ text: () -> String) {
        guard limit > 0 else { return }
        keep(.note(text()))
    }

    private mutating func mix(_ value: UInt64) { digest = (digest ^ value) &* 0x0000_0100_0000_01B3 }

    private mutating func keep(_ entry: Entry) {
        if entries.count < limit {
            entries.append(entry)
        } else {
            entries[oldest] = entry
            oldest = (oldest + 1) % limit
        }
    }

    /// The kept steps, oldest first, a line each: the time in seconds, the process, the step. Notes are indented.
    public var lines: [String] {
        (entries[oldest...] + entries[..<oldest]).map { entry in
            switch entry {
            case .step(let label, let process, let at):
                let microseconds = at.nanoseconds / 1_000
                let fraction = String(microseconds % 1_000_000 + 1_000_000).dropFirst()
                return "\(microseconds / 1_000_000).\(fraction)  \(process): \(label)"
            case .note(let text): return "    \(text)"
            }
        }
    }
}
