internal import SagamoreEngine

/// The bytes of a script, which are the input of its run.
extension WorkflowScript {
    /// The script as bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 16 + 24 * steps.count)
        write(&writer)
        return writer.bytes
    }

    private func write(_ writer: inout ByteWriter) {
        writer.number(Int(ending.rawValue))
        Self.write(steps, &writer)
    }

    /// The script of these bytes; nil when they are not a script.
    public init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let script = WorkflowScript(&reader), reader.isAtEnd else { return nil }
        self = script
    }

    private init?(_ reader: inout ByteReader) {
        guard let ending = reader.number().flatMap({ Ending(rawValue: UInt8(truncatingIfNeeded: $0)) }),
            let steps = Self.steps(&reader)
        else { return nil }
        self.init(steps: steps, ending: ending)
    }

    private static func write(_ steps: [Step], _ writer: inout ByteWriter) {
        writer.number(steps.count)
        for step in steps {
            switch step {
            case .activity(let activity):
                writer.number(1)
                activity.write(&writer)
            case .timer(let interval):
                writer.number(2)
                writer.number(Int(interval.nanoseconds))
            case .signal(let number):
                writer.number(3)
                writer.number(number)
            case .marker(let number):
                writer.number(4)
                writer.number(number)
            case .memo(let number):
                writer.number(5)
                writer.number(number)
            case .race(let activity, let interval):
                writer.number(6)
                activity.write(&writer)
                writer.number(Int(interval.nanoseconds))
            case .parallel(let steps):
                writer.number(7)
                write(steps, &writer)
            case .child(let number, let script):
                writer.number(8)
                writer.number(number)
                script.write(&writer)
            case .tell(let number, let signal):
                writer.number(9)
                writer.number(number)
                writer.number(signal)
            }
        }
    }

    private static func steps(_ reader: inout ByteReader) -> [Step]? {
        guard let count = reader.number(), count >= 0, count < 1_000 else { return nil }
        var steps: [Step] = []
        steps.reserveCapacity(count)
        for _ in 0..<count {
            guard let step = step(&reader) else { return nil }
            steps.append(step)
        }
        return steps
    }

    private static func step(_ reader: inout ByteReader) -> Step? {
        switch reader.number() {
        case 1: ActivityStep(&reader).map { .activity($0) }
        case 2: reader.interval().map { .timer($0) }
        case 3: reader.number().map { .signal($0) }
        case 4: reader.number().map { .marker($0) }
        case 5: reader.number().map { .memo($0) }
        case 6: ActivityStep(&reader).flatMap { activity in reader.interval().map { .race(activity, $0) } }
        case 7: steps(&reader).map { .parallel($0) }
        case 8: reader.number().flatMap { number in WorkflowScript(&reader).map { .child(number, $0) } }
        case 9: reader.number().flatMap { number in reader.number().map { .tell(number, signal: $0) } }
        default: nil
        }
    }
}

extension ByteReader {
    fileprivate mutating func interval() -> Interval? { number().map { Interval(nanoseconds: Int64($0)) } }
}

extension ActivityStep {
    fileprivate func write(_ writer: inout ByteWriter) {
        plan.write(&writer)
        writer.flag(undo != nil)
        undo?.write(&writer)
        writer.flag(isEager)
        writer.number(maximumAttempts)
        for interval in [retryInterval, startToClose, scheduleToStart, scheduleToClose, heartbeatTimeout] {
            writer.number(Int(interval.nanoseconds))
        }
    }

    fileprivate init?(_ reader: inout ByteReader) {
        guard let plan = ActivityPlan(&reader), let isUndone = reader.flag() else { return nil }
        self.init(plan)
        if isUndone {
            guard let undo = ActivityPlan(&reader) else { return nil }
            self.undo = undo
        }
        guard let isEager = reader.flag(), let maximumAttempts = reader.number(), let retry = reader.interval(),
            let startToClose = reader.interval(), let scheduleToStart = reader.interval(),
            let scheduleToClose = reader.interval(), let heartbeat = reader.interval()
        else { return nil }
        self.isEager = isEager
        self.maximumAttempts = maximumAttempts
        retryInterval = retry
        self.startToClose = startToClose
        self.scheduleToStart = scheduleToStart
        self.scheduleToClose = scheduleToClose
        heartbeatTimeout = heartbeat
    }
}

extension ActivityPlan {
    func write(_ writer: inout ByteWriter) {
        writer.number(Int(end.rawValue))
        writer.number(failures)
        writer.number(heartbeats)
        writer.flag(hasDetails)
        writer.flag(ignoresCancel)
        writer.number(milliseconds)
    }

    init?(_ reader: inout ByteReader) {
        guard let end = reader.number().flatMap({ End(rawValue: UInt8(truncatingIfNeeded: $0)) }),
            let failures = reader.number(), let heartbeats = reader.number(), let hasDetails = reader.flag(),
            let ignoresCancel = reader.flag(), let milliseconds = reader.number()
        else { return nil }
        self.init(end, failures: failures)
        self.heartbeats = heartbeats
        self.hasDetails = hasDetails
        self.ignoresCancel = ignoresCancel
        self.milliseconds = milliseconds
    }
}
