internal import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// The events that anyone was shown. An event that was shown as written stays as it is, whatever is killed.
///
/// Unchecked: the whole world runs in one thread.
public final class HistoryLedger: @unchecked Sendable {
    /// The digests of a run's events by their ids; 0 for events that nobody was shown.
    private var runs: [RunID: [UInt64]] = [:]
    private let violation: (String) -> Void

    /// - Parameter violation: is told what does not fit.
    public init(violation: @escaping (String) -> Void) { self.violation = violation }

    /// Notes events that were shown, and compares them with what was shown before.
    ///
    /// - Parameters:
    ///   - frames: encoded frames of `History.events`.
    ///   - mayEndUnwritten: whether the end may show a workflow task that is not written yet.
    public func saw(_ run: RunID, _ frames: [UInt8], mayEndUnwritten: Bool) {
        guard !frames.isEmpty else { return }
        guard var events = try? Self.events(frames) else {
            violation("the history of run \(run) was shown with bytes that are no events")
            return
        }
        if mayEndUnwritten {
            if events.last?.type == .workflowTaskStarted { events.removeLast() }
            if events.last?.type == .workflowTaskScheduled { events.removeLast() }
        }
        guard let first = events.first, let last = events.last else { return }
        var digests = runs.removeValue(forKey: run) ?? []
        if digests.count < Int(last.id) {
            digests.append(contentsOf: repeatElement(0, count: Int(last.id) - digests.count))
        }
        var expected = first.id
        for event in events {
            guard event.id == expected, event.id > 0 else {
                violation("in the history of run \(run), event \(event.id) was shown where \(expected) was expected")
                break
            }
            expected += 1
            let known = digests[Int(event.id) - 1]
            if known != 0, known != event.digest {
                violation("event \(event.id) of run \(run) was shown twice with different contents")
            }
            digests[Int(event.id) - 1] = event.digest
        }
        runs[run] = digests
    }

    /// Compares a whole history with all that was shown of it.
    public func check(_ run: RunID, whole frames: [UInt8]) {
        saw(run, frames, mayEndUnwritten: true)
        let count = (try? Self.events(frames))?.count ?? 0
        if let digests = runs[run], digests.count > count {
            violation("event \(digests.count) of run \(run) was shown, but its history has only \(count) events")
        }
    }

    /// Forgets what was shown.
    func forget() { runs = [:] }

    /// The runs of which anyone has seen events, in order.
    public var knownRuns: [RunID] { runs.keys.sorted() }

    private struct Event {
        let id: Int64
        let type: EventType
        let digest: UInt64
    }

    private static func events(_ frames: [UInt8]) throws(ProtobufError) -> [Event] {
        try ProtobufReader.read(frames) { (reader) throws(ProtobufError) in
            var events: [Event] = []
            events.reserveCapacity(frames.count / 80)
            while try reader.nextTag() != nil {
                let slice = try reader.slice()
                var fields = ProtobufReader(slice)
                var id: Int64 = 0
                var type = EventType.unspecified
                // They are written in the order of their numbers.
                while type == .unspecified, let tag = try fields.nextTag() {
                    switch tag {
                    case 8: id = try fields.int64()
                    case 24: type = EventType(rawValue: try fields.int32())
                    default: try fields.skip()
                    }
                }
                events.append(Event(id: id, type: type, digest: digest(slice)))
            }
            return events
        }
    }

    /// Never 0.
    private static func digest(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var digest: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            digest = (digest ^ word) &* 0xFF51_AFD7_ED55_8CCD
            digest ^= digest >> 32
            offset += 8
        }
        while offset < bytes.count {
            digest = (digest ^ UInt64(bytes[offset])) &* 0x0000_0100_0000_01B3
            offset += 1
        }
        digest ^= digest >> 29
        return digest | 1
    }
}
