/// Numbers of what happened, for a table of what was exercised. All stored properties are counts.
public protocol Counts: Sendable {}

extension Counts {
    /// The counts with their names, in the order of the declarations.
    public var rows: [(name: String, count: Int)] {
        Mirror(reflecting: self).children.compactMap { child in
            guard let name = child.label, let count = child.value as? Int else { return nil }
            return (name, count)
        }
    }
}
