import Sagamore

/// Parents with children that send each other signals and continue as new, and take updates meanwhile.
enum Families {
    static let parent = WorkflowType<ParentPlan, ParentReport>("FamilyParent", taskQueue: "families")
    static let child = WorkflowType<ChildPlan, [Int]>("FamilyChild", taskQueue: "families")

    static let crowd = WorkflowType<CrowdPlan, Int>("FamilyCrowd", taskQueue: "families")
    static let member = WorkflowType<Int, Int>("FamilyMember", taskQueue: "families")

    static let meet = Signal<String>("meet")
    static let greet = Signal<Int>("greet")
    static let note = Update<Int, Int>("note")
}

/// What a crowd does: `make bench` measures it.
struct CrowdPlan: Codable, Sendable {
    /// The number of children, which end at once.
    var children: Int
    /// The number of signals to another workflow, one after the other.
    var signals: Int
}

/// What a parent does.
struct ParentPlan: Codable, Sendable {
    var children: Int
    /// How many signals each child sends to the next one.
    var signals: Int
}

/// What a parent has heard.
struct ParentReport: Codable, Sendable {
    /// The numbers that each child has received, in order.
    var children: [[Int]]
    /// What the updates said, in order.
    var notes: [Int]
}

/// What a child does, and what its earlier runs have done.
struct ChildPlan: Codable, Sendable {
    var signals: Int
    var sibling: String?
    var received: [Int] = []
    var sent = 0
}

/// Starts its children, tells each whom to greet, and collects what they have received.
struct FamilyParent: Workflow {
    struct State: WorkflowState {
        var notes: [Int] = []
    }

    static let type = Families.parent
    static let handlers: [Handler<State>] = [
        .on(
            Families.note,
            validate: { _, number in if number < 0 { throw ApplicationError("negative", type: "Negative") } }
        ) { state, number in
            state.notes.append(number)
            return state.notes.count
        }
    ]

    func run(_ context: WorkflowContext<State>, _ plan: ParentPlan) async throws -> ParentReport {
        let children = try await withThrowingTaskGroup(of: (Int, ChildWorkflow<[Int]>).self) { group in
            for number in 0..<plan.children {
                group.addTask {
                    let options = ChildWorkflowOptions(id: "\(context.info.workflowID)-\(number)")
                    return (
                        number, try await context.start(child: Families.child, .init(signals: plan.signals), options)
                    )
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        for (number, child) in children.enumerated() {
            try await child.signal(Families.meet, children[(number + 1) % children.count].id)
        }
        var received: [[Int]] = []
        for child in children { received.append(try await child.result()) }
        try await context.allHandlersFinished()
        return ParentReport(children: received, notes: context.state.notes)
    }
}

/// Greets its sibling by numbered signals, and continues as new with every fifth that it receives.
struct FamilyChild: Workflow {
    struct State: WorkflowState {
        var sibling: String?
        var received: [Int] = []
    }

    static let type = Families.child
    static let handlers: [Handler<State>] = [
        .on(Families.meet) { state, sibling in state.sibling = sibling },
        .on(Families.greet) { state, number in state.received.append(number) },
    ]

    private static let mostInARun = 5

    func run(_ context: WorkflowContext<State>, _ plan: ChildPlan) async throws -> [Int] {
        // Signals that came before the code began are in the state.
        context.update { state in
            state.received = plan.received + state.received
            state.sibling = state.sibling ?? plan.sibling
        }
        try await context.condition { $0.sibling != nil }
        var sent = plan.sent
        let sibling = context.external(context.state.sibling ?? "")
        let full = plan.received.count + Self.mostInARun
        while true {
            let received = context.state.received.count
            // Before the end: all signals may come at once, after an outage, and each chain has two runs or more.
            if received >= full {
                var next = plan
                next.sibling = context.state.sibling
                next.received = context.state.received
                next.sent = sent
                throw try ContinueAsNew(Families.child, next)
            }
            if received >= plan.signals, sent == plan.signals { return context.state.received }
            if sent < plan.signals {
                try await sibling.signal(Families.greet, sent)
                sent += 1
            } else {
                try await context.condition { $0.received.count > received }
            }
        }
    }
}

/// Starts many children side by side; signals another workflow many times.
struct FamilyCrowd: Workflow {
    static let type = Families.crowd

    func run(_ context: WorkflowContext<NoState>, _ plan: CrowdPlan) async throws -> Int {
        let members = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<plan.children {
                group.addTask {
                    let options = ChildWorkflowOptions(id: "\(context.info.workflowID)-\(number)")
                    return try await context.execute(child: Families.member, 1, options)
                }
            }
            return try await group.reduce(0, +)
        }
        guard plan.signals > 0 else { return members }
        let listener = try await context.start(child: Families.child, ChildPlan(signals: plan.signals))
        for number in 0..<plan.signals { try await listener.signal(Families.greet, number) }
        return members + plan.signals
    }
}

/// Ends at once.
struct FamilyMember: Workflow {
    static let type = Families.member

    func run(_ context: WorkflowContext<NoState>, _ number: Int) async throws -> Int { number }
}
