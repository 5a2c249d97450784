extension Logger {
    /// How severe a line is, from the least to the most.
    public enum Level: String, Sendable, CaseIterable, Comparable {
        /// Individual steps, for debugging a single problem.
        case trace
        /// Details for development and for diagnosing failures.
        case debug
        /// Events that an operator may want to know.
        case info
        /// Normal but noteworthy events.
        case notice
        /// Problems that the service handles by itself.
        case warning
        /// Something failed.
        case error
        /// Someone must act now.
        case critical

        /// Whether `left` is less severe than `right`.
        public static func < (left: Level, right: Level) -> Bool {
            left.severity < right.severity
        }

        var severity: UInt8 {
            switch self {
            case .trace: 0
            case .debug: 1
            case .info: 2
            case .notice: 3
            case .warning: 4
            case .error: 5
            case .critical: 6
            }
        }

        init(severity: UInt8) {
            self =
                switch severity {
                case 0: .trace
                case 1: .debug
                case 2: .info
                case 3: .notice
                case 4: .warning
                case 5: .error
                default: .critical
                }
        }
    }
}
