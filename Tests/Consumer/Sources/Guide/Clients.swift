import Sagamore

/// Starts an order and waits for its end.
func place(_ order: Order) async throws -> Receipt {
    let client = try await Client.connect()
    let handle = try await client.start(Orders.order, order, WorkflowOptions(id: "order-\(order.id)"))
    do {
        return try await handle.result()
    } catch let ended as WorkflowFailedError {
        if let failure = ended.cause as? ActivityError { print("'\(failure.activity)' has failed") }
        throw ended
    }
}

/// A handle on the order's workflow, which is started once in all.
func startOnce(_ order: Order, with client: Client) async throws -> WorkflowHandle<Receipt> {
    var options = WorkflowOptions(id: "order-\(order.id)")
    options.reusePolicy = .rejectDuplicate
    do {
        return try await client.start(Orders.order, order, options)
    } catch let error as ClientError where error.code == .alreadyStarted {
        return client.handle(Orders.order, id: options.id)
    }
}

/// Speaks to an approval that somebody else has started.
func settle(_ id: String, with client: Client) async throws {
    let handle = client.handle(Approvals.approval, id: id)
    let reminders = try await handle.query(Approvals.reminders)
    if reminders < 3 {
        try await handle.signal(Approvals.decide, Decision(isApproved: true, by: "Ada"))
    } else {
        try await handle.cancel(reason: "nobody cares")
    }
    let description = try await handle.describe()
    print("\(description.status), \(description.historyLength) events, open: \(description.pendingActivities)")
}

/// Connects, and waits for a server that is not there yet.
func connectPatiently() async throws -> Client {
    while true {
        do {
            return try await Client.connect()
        } catch let error as ClientError where error.code == .unavailable {
            print("waiting: \(error)")
            try await Task.sleep(for: .seconds(1))
        }
    }
}

/// The company's own tokens.
protocol Tokens: Sendable {
    func current() throws -> String
}

func connectSecurely(key: String, tokens: any Tokens) async throws -> Client {
    var options = ClientOptions(address: "sagamore.example:7233")
    options.tls = TLSOptions()  // The system's root certificates; others, and a certificate of your own, as PEM.
    options.apiKey = key
    options.callHeaders = { ["authorization": "Bearer \(try tokens.current())"] }  // Asked for before each call.
    let client = try await Client.connect(options)
    return client
}
