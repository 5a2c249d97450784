import Sagamore

/// A saga of three steps, two of which optionally run concurrently.
struct Trip: Codable, Sendable {
    var isParallel = false
}

struct TripWorkflow: Workflow {
    struct State: WorkflowState { var reason: String? }
    static let type: TestType<Trip, String> = testType()
    static let giveUp = Signal<String>("give_up")
    static let handlers: [Handler<State>] = [.on(giveUp) { state, reason in state.reason = reason }]

    static func activity(_ name: String) -> Activity<String, String> {
        Activity(name, .startToCloseTimeout(.seconds(5)))
    }

    func run(_ context: WorkflowContext<State>, _ trip: Trip) async throws -> String {
        try await Saga.run(context, abortWhen: { $0.reason }) { saga in
            @Sendable func step(_ name: String) async throws -> String {
                try await saga.step(Self.activity(name), name, undo: Self.activity("undo_\(name)"))
            }
            let car = try await step("car")
            if trip.isParallel {
                async let hotel = step("hotel")
                async let flight = step("flight")
                return try await car + hotel + flight
            }
            return try await car + step("hotel") + step("flight")
        }
    }
}
