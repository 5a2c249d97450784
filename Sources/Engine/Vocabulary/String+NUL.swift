extension String {
    /// Whether the text holds the character that PostgreSQL can't store. Every identifier of every call is asked, so
    /// its bytes are looked at in place.
    public var holdsNUL: Bool {
        utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? utf8.contains(0)
    }
}
