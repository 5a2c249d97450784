import Sagamore
import Synchronization

/// The steps of an order, and what undoes them.
enum Steps {
    static let reserve = Activity<Order, String>("reserve", .startToCloseTimeout(.seconds(10)))
    static let release = Activity<Order, Nothing>("release", .startToCloseTimeout(.seconds(10)))
    static let charge = Activity<Order, String>("charge", .startToCloseTimeout(.seconds(10)))
    static let refund = Activity<Order, Nothing>("refund", .startToCloseTimeout(.seconds(10)))
    static let send = Activity<Order, String>("send", .startToCloseTimeout(.seconds(60)))
    static let recall = Activity<Order, Nothing>("recall", .startToCloseTimeout(.seconds(60)))
}

/// Reserves, charges and sends, or nothing of it.
struct OrderSaga: Workflow {
    static let type = WorkflowType<Order, Receipt>("OrderSaga", taskQueue: "orders")

    func run(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> Receipt {
        try await Saga.run(context) { saga in
            _ = try await saga.step(Steps.reserve, order, undo: Steps.release)
            let payment = try await saga.step(Steps.charge, order, undo: Steps.refund)
            let parcel = try await saga.step(Steps.send, order, undo: Steps.recall)
            return Receipt(payment: payment, parcel: parcel)
        }
    }
}

/// Reserves first, then charges and sends at the same time.
struct ParallelOrderSaga: Workflow {
    static let type = WorkflowType<Order, Receipt>("ParallelOrderSaga", taskQueue: "orders")

    func run(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> Receipt {
        try await Saga.run(context) { saga in
            _ = try await saga.step(Steps.reserve, order, undo: Steps.release)
            async let payment = saga.step(Steps.charge, order, undo: Steps.refund)
            async let parcel = saga.step(Steps.send, order, undo: Steps.recall)
            return try await Receipt(payment: payment, parcel: parcel)
        }
    }
}

/// An order that the customer may take back, and that has to be packed within three days.
struct RevocableOrder: Workflow {
    struct State: WorkflowState {
        /// Why the customer does not want it any more.
        var regret: String?
        var isPacked = false
    }

    static let type = WorkflowType<Order, Receipt>("RevocableOrder", taskQueue: "orders")
    static let takeBack = Signal<String>("take_back")
    static let packed = Signal<Nothing>("packed")

    static let handlers: [Handler<State>] = [
        .on(takeBack) { state, reason in state.regret = reason },
        .on(packed) { state, _ in state.isPacked = true },
    ]

    func run(_ context: WorkflowContext<State>, _ order: Order) async throws -> Receipt {
        try await Saga.run(context, abortWhen: { $0.regret }) { saga in
            let payment = try await saga.step(Steps.charge, order, undo: Steps.refund)
            guard try await context.condition(within: .seconds(3 * 86_400), { $0.isPacked }) else {
                throw ApplicationError("nobody has packed it", type: "TooSlow")
            }
            let parcel = try await saga.step(Steps.send, order, undo: Steps.recall)
            return Receipt(payment: payment, parcel: parcel)
        }
    }
}

/// The money. It stands for a service that knows payments by the order's id.
final class Cashier: Sendable {
    private let payments = Mutex<[String: String]>([:])

    /// Charges the customer, once: a later attempt finds the payment of an earlier one.
    func charge(_ order: Order) -> String {
        payments.withLock { payments -> String in
            if let payment = payments[order.id] { return payment }
            let payment = "payment-\(order.id)"
            payments[order.id] = payment
            return payment
        }
    }

    /// Gives the money back, if there was any: it may never have been charged, or be given back already.
    func refund(_ order: Order) {
        let payment = payments.withLock { $0.removeValue(forKey: order.id) }
        if let payment { print("\(payment) is given back") }
    }
}

func sagaWorker(_ client: Client, _ cashier: Cashier) -> Worker {
    Worker(client, taskQueue: "orders") {
        OrderSaga.registered
        Steps.charge.implemented(cashier.charge)
        Steps.refund.implemented(cashier.refund)
    }
}
