internal import FoundationEssentials
package import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// The history of a run, as a tool has written it: `sagamore workflow show --output json`, `temporal workflow show
/// --output json`, or the download of Temporal's web page.
public struct WorkflowHistory: Sendable {
    /// A text is no history.
    public struct FormatError: Error, Sendable, Hashable, CustomStringConvertible {
        /// Where it is wrong, such as `events[3].eventType`; empty for the whole text.
        public let place: String
        /// What is wrong there.
        public let problem: String

        init(place: String = "", problem: String) {
            self.place = place
            self.problem = problem
        }

        /// Where and what is wrong.
        public var description: String { "no history: " + (place.isEmpty ? problem : "\(place) \(problem)") }
    }

    /// The workflow's id. Histories do not have it, so whoever reads one may say it.
    public let workflowID: String
    package let events: [HistoryEvent]

    /// The number of its events.
    public var count: Int { events.count }

    package init(_ events: [HistoryEvent], workflowID: String) {
        self.events = events
        self.workflowID = workflowID
    }

    /// Reads a text.
    /// - Throws: ``FormatError``.
    public init(json: String, workflowID: String = "replayed") throws(FormatError) {
        try self.init(json: Array(json.utf8), workflowID: workflowID)
    }

    /// Reads a file.
    /// - Throws: ``FormatError``, also when the file cannot be read.
    public init(contentsOfFile path: String, workflowID: String = "replayed") throws(FormatError) {
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw FormatError(problem: "'\(path)' cannot be read: \(error)")
        }
        try self.init(json: Array(data), workflowID: workflowID)
    }

    private init(json: [UInt8], workflowID: String) throws(FormatError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue.parse(json, depthLimit: 200) } catch {
            throw FormatError(problem: "\(error)")
        }
        // Old tools write a list of events.
        let object = value.array.map { JSONValue.object(["events": .array($0)]) } ?? value
        guard let events = object["events"]?.array, !events.isEmpty else {
            throw FormatError(problem: "there are no events: an object with the list 'events' is wanted")
        }
        let history: History
        let bytes = try ProtobufJSONReader.bytes(of: .object(["events": .array(events)]), as: History.self)
        do throws(ProtobufError) { history = try History(serializedBytes: bytes) } catch {
            throw FormatError(problem: "\(error)")
        }
        for (index, event) in history.events.enumerated() where event.eventID != Int64(index + 1) {
            let problem = "is \(event.eventID) instead of \(index + 1): the history must be whole"
            throw FormatError(place: "events[\(index)].eventId", problem: problem)
        }
        self.init(history.events, workflowID: workflowID)
    }
}
