package import FoundationEssentials
internal import SagamoreAPI
internal import SagamoreProtobuf

/// Runs the code of an activity without a server, for tests.
package struct ActivityRun: Sendable {
    /// What the code is told about its attempt.
    package struct Attempt: Sendable {
        package var id = "1"
        package var attempt = 1
        package var namespace = "default"
        package var workflowID = "workflow"
        package var runID = "00000000-0000-7000-8000-000000000000"
        package var workflowType = "Workflow"
        package var taskQueue = "test"
        package var at = Date(timeIntervalSince1970: 0)
        package var heartbeatDetails = EncodedValues()

        package init() {}
    }

    private let codes: [String: ActivityCode]

    package init(_ registrations: [Registration]) {
        var codes: [String: ActivityCode] = [:]
        for registration in registrations {
            if case .activity(let code) = registration.content { codes[registration.name] = code }
        }
        self.codes = codes
    }

    /// Runs an activity.
    ///
    /// - Parameter onHeartbeat: is told of each heartbeat with its details.
    /// - Throws: what the code throws, ``DataError``, or what a worker answers that does not know the activity.
    package func execute<Input, Output>(
        _ activity: Activity<Input, Output>,
        _ input: Input,
        _ attempt: Attempt,
        onHeartbeat: @escaping @Sendable (EncodedValues) -> Void
    ) async throws -> Output {
        guard let code = codes[activity.name] else {
            throw Registry.unknown("activity", activity.name, known: codes.keys)
        }
        let info = ActivityInfo(attempt, type: activity.name, options: activity.options)
        let context = ActivityContext(info: info, heartbeatDetails: attempt.heartbeatDetails) { details in
            onHeartbeat(EncodedValues(details))
        }
        // Both go through bytes, as between workflow and worker.
        let result = try await code(context, try PayloadCoding.arguments(input))
        return try PayloadCoding.first(result, as: Output.self)
    }
}
