/// The calls of a connection that are not over. Each has a place, which its stream remembers in the protocol's own
/// table, so that finding one takes no search here.
struct StreamTable {
    private var places: [ServerCallRecord?] = []
    private var free: [Int] = []

    var count: Int { places.count - free.count }
    var isEmpty: Bool { count == 0 }

    /// All of them, in no order.
    var all: [ServerCallRecord] { places.compactMap { $0 } }

    subscript(place: Int) -> ServerCallRecord? {
        places.indices.contains(place) ? places[place] : nil
    }

    /// Puts a call in. Returns its place.
    mutating func insert(_ record: ServerCallRecord) -> Int {
        if let place = free.popLast() {
            places[place] = record
            return place
        }
        places.append(record)
        return places.count - 1
    }

    /// Takes the call at `place` out.
    mutating func remove(_ place: Int) -> ServerCallRecord? {
        guard places.indices.contains(place), let record = places[place] else { return nil }
        places[place] = nil
        free.append(place)
        return record
    }

    /// Takes all out.
    mutating func removeAll() -> [ServerCallRecord] {
        let all = all
        places = []
        free = []
        return all
    }
}
