import Sagamore

/// What somebody has bought.
struct Order: Codable, Sendable {
    var id: String
    var customer: String
    var cents: Int
}

/// What came of it.
struct Receipt: Codable, Sendable {
    var payment: String
    var parcel: String
}

/// What the workflow, its activities and its clients tell each other.
enum Orders {
    static let order = WorkflowType<Order, Receipt>("Order", taskQueue: "orders")

    static let charge = Activity<Order, String>("charge", .startToCloseTimeout(.seconds(10)))
    static let refund = Activity<Order, Nothing>("refund", .startToCloseTimeout(.seconds(10)))
    static let send = Activity<Order, String>("send", .startToCloseTimeout(.seconds(60)))
}

/// Charges the customer and sends the goods.
struct OrderWorkflow: Workflow {
    static let type = Orders.order

    func run(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> Receipt {
        let payment = try await context.execute(Orders.charge, order)
        let parcel = try await context.execute(Orders.send, order)
        return Receipt(payment: payment, parcel: parcel)
    }
}

/// Does both at the same time.
struct HastyOrder: Workflow {
    static let type = WorkflowType<Order, Receipt>("HastyOrder", taskQueue: "orders")

    func run(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> Receipt {
        async let payment = context.execute(Orders.charge, order)
        async let parcel = context.execute(Orders.send, order)
        return try await Receipt(payment: payment, parcel: parcel)
    }
}

/// Charges the customer. Nil: the bank says no.
func payment(_ context: WorkflowContext<NoState>, for order: Order) async throws -> String? {
    do {
        return try await context.execute(Orders.charge, order)
    } catch let failure as ActivityError {
        guard let reason = failure.cause as? ApplicationError, reason.type == "CardDeclined" else { throw failure }
        context.logger.info("the card was declined", metadata: ["reason": "\(reason.message)"])
        return nil
    }
}

/// Sends the goods in a week. Who cancels it before has the money back.
struct LateOrder: Workflow {
    static let type = WorkflowType<Order, String>("LateOrder", taskQueue: "orders")

    func run(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> String {
        do {
            try await context.sleep(for: .seconds(7 * 86_400))
            return try await context.execute(Orders.send, order)
        } catch let error where CanceledError.isCancellation(error) {
            _ = try await context.withCancellationShield { try await context.execute(Orders.refund, order) }
            throw error
        }
    }
}
