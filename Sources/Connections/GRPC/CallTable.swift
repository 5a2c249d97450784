internal import SagamoreThreads

/// The calls that an orderly end has to find: a table of places, so that adding and removing take no search.
final class CallTable<Call: AnyObject & Sendable>: Sendable {
    private struct Places {
        var calls: [Call?] = []
        var free: [Int] = []
        var count = 0
        var isClosed = false
    }

    private let places = Locked(Places())

    /// Puts a call in and returns its place; nil when the table is closed.
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

    /// Takes the call at `place` out. True when the table is closed and this was its last call.
    @discardableResult
    func remove(_ place: Int) -> Bool {
        let (call, wasLast) = places.withLock { places in
            let call = places.calls[place]
            places.calls[place] = nil
            places.free.append(place)
            places.count -= 1
            return (call, places.isClosed && places.count == 0)
        }
        // Outside the lock: this may be the call's last reference.
        withExtendedLifetime(call) {}
        return wasLast
    }

    /// Lets no call in any more. Returns those that are in it; nil when it was closed before.
    func close() -> [Call]? {
        places.withLock { places in
            if places.isClosed { return nil }
            places.isClosed = true
            return places.calls.compactMap { $0 }
        }
    }
}
