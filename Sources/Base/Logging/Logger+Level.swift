extension Logger {
    /// How severe a line is, from the least to the most.
    public enum Level: String, Sendable, CaseIterable, Comparable {
        /// Every step, for the hunt for one error.
        case trace
        /// What helps who develops or looks for the cause of a failure.
        case debug
        /// What an operator may want to know.
        case info
        /// Nothing wrong, but worth a look.
        case notice
        /// Something is wrong and the service carries on by itself.
        case warning
        /// Something failed.
        case error
        /// Somebody has to act now.
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
