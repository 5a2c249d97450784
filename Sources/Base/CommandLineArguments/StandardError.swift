#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// Where errors are said.
enum StandardError {
    /// Writes all of the text, or as much as can be written.
    static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { writeToDescriptor(2, $0) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}

/// Outside of any type, so that `write` is the operating system's.
private func writeToDescriptor(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
