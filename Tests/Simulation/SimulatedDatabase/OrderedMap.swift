/// Values in the order of their keys, as an index of the database has them.
///
/// Kept in chunks: an insert moves a chunk and not all. Most keys are appended.
struct OrderedMap<Key: Comparable, Value> {
    private struct Chunk {
        var keys: [Key]
        var values: [Value]
    }

    private static var chunkLimit: Int { 128 }

    /// None is empty.
    private var chunks: [Chunk] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// All values in order.
    var values: [Value] { chunks.flatMap(\.values) }

    /// The value of a key; nil if there is none.
    subscript(key: Key) -> Value? {
        guard let (chunk, place, isFound) = find(key), isFound else { return nil }
        return chunks[chunk].values[place]
    }

    /// Stores a value, or removes that of the key for nil. Returns the value before.
    @discardableResult
    mutating func set(_ value: Value?, for key: Key) -> Value? {
        guard let (chunk, place, isFound) = find(key) else {
            if let value {
                chunks.append(Chunk(keys: [key], values: [value]))
                count = 1
            }
            return nil
        }
        guard let value else { return isFound ? remove(chunk, place) : nil }
        if isFound {
            let old = chunks[chunk].values[place]
            chunks[chunk].values[place] = value
            return old
        }
        insert(key, value, chunk, place)
        return nil
    }

    /// Visits entries in order behind a key, from the first one for nil, until `body` returns false.
    func scan(after key: Key?, _ body: (Key, Value) -> Bool) {
        var (chunk, place) = (0, 0)
        if let key {
            guard let found = find(key) else { return }
            (chunk, place) = (found.chunk, found.isFound ? found.place + 1 : found.place)
        }
        while chunk < chunks.count {
            while place < chunks[chunk].keys.count {
                guard body(chunks[chunk].keys[place], chunks[chunk].values[place]) else { return }
                place += 1
            }
            (chunk, place) = (chunk + 1, 0)
        }
    }

    private mutating func remove(_ chunk: Int, _ place: Int) -> Value {
        count -= 1
        chunks[chunk].keys.remove(at: place)
        let old = chunks[chunk].values.remove(at: place)
        if chunks[chunk].keys.isEmpty { chunks.remove(at: chunk) }
        return old
    }

    private mutating func insert(_ key: Key, _ value: Value, _ chunk: Int, _ place: Int) {
        count += 1
        let size = chunks[chunk].keys.count
        guard size == Self.chunkLimit else {
            chunks[chunk].keys.insert(key, at: place)
            chunks[chunk].values.insert(value, at: place)
            return
        }
        if place == size, chunk == chunks.count - 1 {
            chunks.append(Chunk(keys: [key], values: [value]))
            return
        }
        let half = size / 2
        let upper = Chunk(keys: Array(chunks[chunk].keys[half...]), values: Array(chunks[chunk].values[half...]))
        chunks[chunk].keys.removeLast(size - half)
        chunks[chunk].values.removeLast(size - half)
        chunks.insert(upper, at: chunk + 1)
        let target = place > half ? (chunk + 1, place - half) : (chunk, place)
        chunks[target.0].keys.insert(key, at: target.1)
        chunks[target.0].values.insert(value, at: target.1)
    }

    /// Where a key is, or belongs; nil if there are no entries.
    private func find(_ key: Key) -> (chunk: Int, place: Int, isFound: Bool)? {
        guard var chunk = chunks.indices.last else { return nil }
        if key < chunks[chunk].keys[0] {
            // The last chunk that begins no later, else the first one.
            var (low, high) = (0, chunk)
            while low < high {
                let middle = (low + high) / 2
                if key < chunks[middle].keys[0] { high = middle } else { low = middle + 1 }
            }
            chunk = max(low - 1, 0)
        }
        let place = chunks[chunk].keys.firstPlace { $0 >= key }
        let isFound = place < chunks[chunk].keys.count && chunks[chunk].keys[place] == key
        return (chunk, place, isFound)
    }
}

extension Array {
    /// The place of the first element for which `isBehind` holds, where it holds for all after it, too.
    func firstPlace(_ isBehind: (Element) -> Bool) -> Int {
        guard let last, !isBehind(last) else {
            var (low, high) = (0, count)
            while low < high {
                let middle = (low + high) / 2
                if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        // Most are appended.
        return count
    }
}
