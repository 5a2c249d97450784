import Foundation
import Sagamore

/// What one of those who take part is told.
struct Announcement: Codable, Sendable {
    var id: String
    var to: String
    var winner: String
    var drawnAt: Date
}

enum Raffles {
    static let raffle = WorkflowType<Nothing, String>("Raffle", taskQueue: "raffles")
    static let join = Signal<String>("join")
    static let announce = Activity<Announcement, Nothing>("announce", .startToCloseTimeout(.seconds(10)))
}

/// Draws one of those who have joined within the hour, and tells all of them.
struct Raffle: Workflow {
    struct State: WorkflowState {
        var people: Set<String> = []
    }

    static let type = Raffles.raffle

    static let handlers: [Handler<State>] = [
        .on(Raffles.join) { state, name in state.people.insert(name) }
    ]

    func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> String {
        try await context.sleep(for: .seconds(3_600))
        let people = context.state.people.sorted()
        var generator = context.makeRandomNumberGenerator()
        guard let winner = people.randomElement(using: &generator) else {
            throw ApplicationError("nobody has joined", type: "NobodyThere")
        }
        let drawnAt = context.now
        for name in people {
            let text = Announcement(id: context.makeUUID().uuidString, to: name, winner: winner, drawnAt: drawnAt)
            _ = try await context.execute(Raffles.announce, text)
        }
        return winner
    }
}

/// Asks several shops side by side, and adds up what they say.
struct PriceSum: Workflow {
    struct State: WorkflowState {
        var cents = 0
    }

    static let type = WorkflowType<[String], Int>("PriceSum", taskQueue: "prices")
    static let ask = Activity<String, Int>("ask", .startToCloseTimeout(.seconds(10)))

    func run(_ context: WorkflowContext<State>, _ shops: [String]) async throws -> Int {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shop in shops {
                group.addTask {
                    let price = try await context.execute(Self.ask, shop)
                    context.update { $0.cents += price }
                }
            }
            try await group.waitForAll()
        }
        return context.state.cents
    }
}

/// Tries to send the goods until it works out, for weeks if need be.
func sendAtLast(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> String {
    for day in 1...30 {
        do {
            return try await context.execute(Orders.send, order)
        } catch let failure as ActivityError where !CanceledError.isCancellation(failure) {
            context.logger.warning("not sent", metadata: ["day": "\(day)", "reason": "\(failure)"])
            try await context.sleep(for: .seconds(86_400))
        }
    }
    throw ApplicationError("the goods can't be sent", type: "NotSent")
}

/// Sends first and charges then: other code than that of the type `Order`, so it is another type.
struct OrderWorkflow2: Workflow {
    static let type = WorkflowType<Order, Receipt>("Order2", taskQueue: "orders")

    func run(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> Receipt {
        let parcel = try await context.execute(Orders.send, order)
        let payment = try await context.execute(Orders.charge, order)
        return Receipt(payment: payment, parcel: parcel)
    }
}

/// A worker for the runs that have begun, and for new ones.
func workerOfBoth(_ client: Client, _ bank: Bank) -> Worker {
    Worker(client, taskQueue: "orders") {
        OrderWorkflow.registered
        OrderWorkflow2.registered
        Orders.charge.implemented(bank.charge)
        Orders.send.implemented { order in "parcel-\(order.id)" }
    }
}
