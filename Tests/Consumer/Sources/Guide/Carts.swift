import Sagamore

/// What clients do with a cart.
enum Carts {
    static let cart = WorkflowType<[String], [String]>("Cart", taskQueue: "carts")

    static let price = Activity<String, Int>("price", .startToCloseTimeout(.seconds(5)))

    static let add = Update<String, Int>("add")
    static let quote = Update<String, Int>("quote")
    static let checkOut = Signal<Nothing>("check_out")
}

/// A cart that clients fill until they check out.
struct Cart: Workflow {
    struct State: WorkflowState {
        var items: [String] = []
        var isCheckedOut = false
    }

    static let type = Carts.cart

    static let handlers: [Handler<State>] = [
        .on(Carts.checkOut) { state, _ in state.isCheckedOut = true },
        .on(
            Carts.add,
            validate: { state, item in
                if state.items.count == 100 { throw ApplicationError("the cart is full", type: "CartFull") }
            }
        ) { state, item in
            state.items.append(item)
            return state.items.count
        },
        .on(Carts.quote, run: { context, item in try await context.execute(Carts.price, item) }),
    ]

    func run(_ context: WorkflowContext<State>, _ items: [String]) async throws -> [String] {
        context.state.items = items
        try await context.condition { $0.isCheckedOut }
        try await context.allHandlersFinished()
        return context.state.items
    }
}

/// Fills a cart.
func fill(_ id: String, with client: Client) async throws {
    let cart = client.handle(Carts.cart, id: id)
    do {
        let count = try await cart.update(Carts.add, "tea")
        print("the cart has \(count) items")
    } catch let failed as UpdateFailedError {
        print("rejected: \(failed.cause)")
    }
    let quote = try await cart.startUpdate(Carts.quote, "tea")
    print("tea costs \(try await quote.result()) cents")
}
