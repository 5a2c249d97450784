/// Where a run came from when a Kafka command started it, and what its events repeat.
public struct CommandOrigin: Equatable, Sendable {
    public let commandID: String
    /// The topic that this command's events go to.
    public let eventsTopic: String
    /// The correlation fields as members of a JSON object, without the braces: `"order_id":"222222"`. May be empty.
    public let correlation: [UInt8]
    /// Headers that travel on to the events (`traceparent`, `tracestate`).
    public let headers: [Header]

    public struct Header: Equatable, Sendable {
        public let name: String
        public let value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public init(commandID: String, eventsTopic: String, correlation: [UInt8], headers: [Header] = []) {
        self.commandID = commandID
        self.eventsTopic = eventsTopic
        self.correlation = correlation
        self.headers = headers
    }
}
