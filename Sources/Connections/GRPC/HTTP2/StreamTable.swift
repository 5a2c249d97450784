/// The open calls of a connection. nghttp2 stores the place of a call with its stream, so no search is needed.
struct StreamTable<Call> {
    private var places: [Call?] = []
    private var free: [Int] = []

    var count: Int { places.count - free.count }
    var isEmpty: Bool { count == 0 }

    /// All calls, in no particular order.
    var all: [Call] { places.compactMap { $0 } }

    subscript(place: Int) -> Call? {
        places.indices.contains(place) ? places[place] : nil
    }

    /// Adds a call. Returns its place.
    mutating func insert(_ call: Call) -> Int {
        if let place = free.popLast() {
            places[place] = call
            return place
        }
        places.append(call)
        return places.count - 1
    }

    /// Removes the call at `place`.
    mutating func remove(_ place: Int) -> Call? {
        guard places.indices.contains(place), let call = places[place] else { return nil }
        places[place] = nil
        free.append(place)
        return call
    }

    /// Removes all calls.
    mutating func removeAll() -> [Call] {
        let all = all
        places = []
        free = []
        return all
    }
}
