import Sagamore

/// What somebody has decided.
struct Decision: Codable, Sendable {
    var isApproved: Bool
    var by: String
}

enum Approvals {
    static let approval = WorkflowType<String, Decision>("Approval", taskQueue: "approvals")

    static let remind = Activity<String, Nothing>("remind", .startToCloseTimeout(.seconds(10)))

    static let decide = Signal<Decision>("decide")
    static let reminders = Query<Nothing, Int>("reminders")
}

/// Waits for a decision, and reminds people of it once a day.
struct Approval: Workflow {
    struct State: WorkflowState {
        var decision: Decision?
        var reminders = 0
    }

    static let type = Approvals.approval

    static let handlers: [Handler<State>] = [
        .on(Approvals.decide) { state, decision in
            // The first one counts.
            if state.decision == nil { state.decision = decision }
        },
        .answer(Approvals.reminders) { state, _ in state.reminders },
    ]

    func run(_ context: WorkflowContext<State>, _ subject: String) async throws -> Decision {
        while context.state.reminders < 7 {
            _ = try await context.condition(within: .seconds(86_400)) { $0.decision != nil }
            if let decision = context.state.decision { return decision }
            _ = try await context.execute(Approvals.remind, subject)
            context.state.reminders += 1
        }
        throw ApplicationError("nobody has decided", type: "Undecided")
    }
}
