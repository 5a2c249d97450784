internal import SagamoreJSONText

/// What earlier events of a history tell about later ones: which activity or child an event is about, and whether that
/// undoes a step of a saga.
struct HistorySteps {
    private struct Step {
        /// The activity's type; nil for a child, whose events all name its type.
        let activity: String?
        /// The step of the saga that it undoes.
        let undoes: String?
    }

    /// By the event that scheduled it.
    private var steps: [String: Step] = [:]

    /// The header of what undoes a step of a saga. Its value is the step's name.
    private static let undoHeader = "saga-undo"

    /// What is known about an event: its activity, and `compensating`, `compensated` or `undo` for an undo.
    ///
    /// - Parameters:
    ///   - type: as the table shows it, `ActivityTaskStarted`.
    ///   - attributes: of the event, in protobuf's JSON form.
    mutating func details(_ event: JSONValue, type: String, _ attributes: JSONValue) -> [String] {
        if let id = event["eventId"]?.string, Self.isBeginning(type) {
            let step = Step(
                activity: attributes["activityType"]?["name"]?.string,
                undoes: Self.undoneStep(attributes["header"]?["fields"]?[Self.undoHeader])
            )
            steps[id] = step
            return step.undoes.map { ["compensating=\($0)"] } ?? []
        }
        guard let id = attributes["scheduledEventId"]?.string ?? attributes["initiatedEventId"]?.string,
            let step = steps[id]
        else { return [] }
        var details = step.activity.map { ["activity=\($0)"] } ?? []
        if let undone = step.undoes { details.append("\(Self.word(type))=\(undone)") }
        return details
    }

    private static func isBeginning(_ type: String) -> Bool {
        type == "ActivityTaskScheduled" || type == "StartChildWorkflowExecutionInitiated"
    }

    private static func word(_ type: String) -> String {
        if type.hasSuffix("Started") { return "compensating" }
        return type.hasSuffix("Completed") ? "compensated" : "undo"
    }

    private static func undoneStep(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        let payload = HistoryTable.payload(value)
        return (payload.json?.string ?? payload.text).printable
    }
}
