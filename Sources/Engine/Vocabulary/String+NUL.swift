extension String {
    /// Whether the text contains NUL, which PostgreSQL cannot store. Every identifier of every call is checked, so this
    /// scans the bytes in place.
    public var holdsNUL: Bool {
        utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? utf8.contains(0)
    }
}
