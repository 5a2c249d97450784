/// Writes log lines with a label, using the vocabulary of swift-log.
///
/// A logger is a value: metadata set on a copy stays with the copy. Message and metadata are evaluated only when the
/// level is enabled, so a disabled line costs one comparison and allocates nothing.
public struct Logger: Sendable {
    /// The component that logs, for example `history.lane`.
    public let label: String

    private var ownLevel: Level?
    private var metadata: Metadata = [:]
    private let handler: LogHandler?

    /// A logger that writes to the destination of `LoggingSystem.bootstrap`, even when created before that call.
    public init(label: String) {
        self.label = label
        self.handler = nil
    }

    /// A logger with its own handler, for tests that read the log.
    public init(label: String, handler: LogHandler) {
        self.label = label
        self.handler = handler
    }

    /// The lowest level that is written: the process's level, unless set here.
    public var logLevel: Level {
        get { ownLevel ?? LoggingSystem.level }
        set { ownLevel = newValue }
    }

    /// Metadata for every line of this logger; `nil` removes the key.
    public subscript(metadataKey key: String) -> MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Whether a line of this level would be written.
    public func isEnabled(_ level: Level) -> Bool {
        level >= logLevel
    }

    /// Writes one line if `level` is enabled.
    /// - Parameters:
    ///   - level: How severe it is.
    ///   - message: What happened. Values that vary from line to line belong in the metadata. No payloads or secrets.
    ///   - metadata: The line's metadata. It overrides the logger's.
    public func log(
        level: Level,
        _ message: @autoclosure () -> String,
        metadata: @autoclosure () -> Metadata = [:]
    ) {
        guard isEnabled(level) else { return }
        write(level, message(), metadata())
    }

    /// Individual steps, for debugging a single problem.
    public func trace(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .trace, message(), metadata: metadata())
    }

    /// Details for development and for diagnosing failures.
    public func debug(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .debug, message(), metadata: metadata())
    }

    /// Events that an operator may want to know.
    public func info(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .info, message(), metadata: metadata())
    }

    /// Normal but noteworthy events.
    public func notice(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .notice, message(), metadata: metadata())
    }

    /// Problems that the service handles by itself.
    public func warning(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .warning, message(), metadata: metadata())
    }

    /// Something failed.
    public func error(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .error, message(), metadata: metadata())
    }

    /// The service cannot continue normally: someone must act now.
    public func critical(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .critical, message(), metadata: metadata())
    }

    @inline(never)
    private func write(_ level: Level, _ message: String, _ lineMetadata: Metadata) {
        var all = metadata.merging(lineMetadata) { _, ofTheLine in ofTheLine }
        if handler == nil { all.merge(LoggingSystem.metadata) { own, _ in own } }
        let record = LogRecord(
            time: .now,
            level: level,
            label: label,
            message: message,
            metadata: all.sorted { $0.key < $1.key }
        )
        (handler ?? LoggingSystem.handler).write(record)
    }
}
