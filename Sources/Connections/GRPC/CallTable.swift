internal import SagamoreThreads

/// The open calls, for an orderly shutdown. Calls have indices, so adding and removing need no search.
final class CallTable<Call: AnyObject & Sendable>: Sendable {
    private struct Places {
        var calls: [Call?] = []
        var free: [Int] = []
        var count = 0
        var isClosed = false
    }

    private let places = Locked(Places())

    /// Adds a call and returns its index; nil when the table is closed.
    func insert(_ call: Call) -> Int? {
        places.withLock { places in
            if places.isClosed { return nil }
            places.count += 1
            if let place = places.free.popLast() {
                places.calls[place] = call
                return place
            }
            places.calls.append(call)
            return places.calls.count - 1
        }
    }

    /// Removes the call at `place`. Returns true when the table is closed and this was its last call.
    @discardableResult
    func remove(_ place: Int) -> Bool {
        let (call, wasLast) = places.withLock { places in
            let call = places.calls[place]
            places.calls[place] = nil
            places.free.append(place)
            places.count -= 1
            return (call, places.isClosed && places.count == 0)
        }
        // Released outside the lock: this may be the last reference to the call.
        withExtendedLifetime(call) {}
        return wasLast
    }

    /// Closes the table for new calls. Returns the open calls; nil when it was closed before.
    func close() -> [Call]? {
        places.withLock { places in
            if places.isClosed { return nil }
            places.isClosed = true
            return places.calls.compactMap { $0 }
        }
    }
}
