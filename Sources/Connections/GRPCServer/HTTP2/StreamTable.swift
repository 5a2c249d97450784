/// The open calls of a connection. nghttp2 stores the place of a call with its stream, so no search is needed.
struct StreamTable {
    private var places: [ServerCallRecord?] = []
    private var free: [Int] = []

    var count: Int { places.count - free.count }
    var isEmpty: Bool { count == 0 }

    /// All calls, in no particular order.
    var all: [ServerCallRecord] { places.compactMap { $0 } }

    subscript(place: Int) -> ServerCallRecord? {
        places.indices.contains(place) ? places[place] : nil
    }

    /// Adds a call. Returns its place.
    mutating func insert(_ record: ServerCallRecord) -> Int {
        if let place = free.popLast() {
            places[place] = record
            return place
        }
        places.append(record)
        return places.count - 1
    }

    /// Removes the call at `place`.
    mutating func remove(_ place: Int) -> ServerCallRecord? {
        guard places.indices.contains(place), let record = places[place] else { return nil }
        places[place] = nil
        free.append(place)
        return record
    }

    /// Removes all calls.
    mutating func removeAll() -> [ServerCallRecord] {
        let all = all
        places = []
        free = []
        return all
    }
}
