/// The Kafka command that started a run, and what its events repeat.
public struct CommandOrigin: Equatable, Sendable {
    /// The command's id, as its sender chose it.
    public let commandID: String
    /// The topic for the command's events.
    public let eventsTopic: String
    /// The correlation fields as members of a JSON object, without the braces: `"order_id":"222222"`. May be empty.
    public let correlation: [UInt8]
    /// Headers that are copied to the events (`traceparent`, `tracestate`).
    public let headers: [Header]

    /// A header of a Kafka record.
    public struct Header: Equatable, Sendable {
        /// The header's key.
        public let name: String
        /// The header's value, byte for byte.
        public let value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// An origin with the command's id, the topic for its events, and what each event repeats.
    public init(commandID: String, eventsTopic: String, correlation: [UInt8], headers: [Header] = []) {
        self.commandID = commandID
        self.eventsTopic = eventsTopic
        self.correlation = correlation
        self.headers = headers
    }
}
