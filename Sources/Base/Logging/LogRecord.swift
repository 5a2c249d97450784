/// One line before it has a form.
struct LogRecord: Sendable {
    var time: WallClockTime
    var level: Logger.Level
    var label: String
    var message: String
    /// In the order of the keys, each key once.
    var metadata: [(key: String, value: String)]
}
