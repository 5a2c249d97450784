/// Suggests corrections for mistyped words.
public enum Suggestion {
    /// The candidate nearest to `word`, if one is near: up to a third of its letters may differ, or the word is a
    /// prefix of it. Single-letter options are never suggested.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        near(to: word, among: candidates).first
    }

    /// The candidates near to `word`, the nearest first.
    public static func near(to word: String, among candidates: [String]) -> [String] {
        let near = candidates.filter { $0.count > 2 }.compactMap { candidate -> (candidate: String, distance: Int)? in
            let distance = distance(Array(word), Array(candidate))
            let isBeginning = word.count > 3 && candidate.hasPrefix(word)
            guard distance <= max(1, candidate.drop { $0 == "-" }.count / 3) || isBeginning else { return nil }
            return (candidate, distance)
        }
        return near.sorted { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }.map(\.candidate)
    }

    /// A hint that names the nearest candidate, if one is near.
    public static func hint(for word: String, among candidates: [String]) -> String? {
        nearest(to: word, among: candidates).map { "Did you mean '\($0)'?" }
    }

    /// The edit distance: letters to insert, delete, replace or swap with their neighbor.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var best = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
