/// Provides libpq with pointers to values for the duration of one call.
///
/// Small values are copied into cells, large ones are used in place. Belongs to one connection.
final class ParameterBinder {
    private static let cellSize = 16
    private var capacity = 0
    private var cells = UnsafeMutableRawPointer.allocate(byteCount: 0, alignment: 8)
    /// The address of each parameter's bytes; nil for NULL.
    private(set) var pointers = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: 0)
    /// The size of each parameter in bytes.
    private(set) var lengths = UnsafeMutablePointer<Int32>.allocate(capacity: 0)
    /// The format of each parameter: always binary.
    private(set) var formats = UnsafeMutablePointer<Int32>.allocate(capacity: 0)

    deinit { deallocate() }

    /// Runs `body` while `pointers`, `lengths` and `formats` describe `values`.
    func bind(_ values: [PostgresValue], _ body: () -> Int32) -> Int32 {
        if values.count > capacity { grow(to: values.count) }
        return bind(values, from: 0, body)
    }

    private func bind(_ values: [PostgresValue], from start: Int, _ body: () -> Int32) -> Int32 {
        for index in start..<values.count {
            switch values[index].storage {
            case .null: set(index, nil, 0)
            case .int64(let value): store(index, UInt64(bitPattern: value))
            case .int32(let value): store(index, UInt32(bitPattern: value))
            case .bool(let value): store(index, value ? UInt8(1) : 0)
            case .uuid(let high, let low):
                cell(index).storeBytes(of: high.bigEndian, as: UInt64.self)
                cell(index).storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
                set(index, cell(index), 16)
            case .array(let array):
                return withExtendedLifetime(array) {
                    set(index, array.storage.base, array.storage.count)
                    return bind(values, from: index + 1, body)
                }
            case .bytes(let bytes):
                return bytes.withUnsafeBytes { buffer in
                    lend(index, buffer)
                    return bind(values, from: index + 1, body)
                }
            case .text(var text):
                return text.withUTF8 { utf8 in
                    lend(index, UnsafeRawBufferPointer(utf8))
                    return bind(values, from: index + 1, body)
                }
            }
        }
        return body()
    }

    private func cell(_ index: Int) -> UnsafeMutableRawPointer { cells + index * Self.cellSize }

    private func store<Number: FixedWidthInteger>(_ index: Int, _ value: Number) {
        cell(index).storeBytes(of: value.bigEndian, as: Number.self)
        set(index, cell(index), MemoryLayout<Number>.size)
    }

    /// An empty value may have no address, and without one libpq would send NULL.
    private func lend(_ index: Int, _ bytes: UnsafeRawBufferPointer) {
        set(index, bytes.baseAddress ?? UnsafeRawPointer(cell(index)), bytes.count)
    }

    private func set(_ index: Int, _ address: UnsafeRawPointer?, _ count: Int) {
        pointers[index] = address?.assumingMemoryBound(to: CChar.self)
        lengths[index] = Int32(truncatingIfNeeded: count)
        formats[index] = 1
    }

    private func grow(to count: Int) {
        deallocate()
        capacity = max(count, 16)
        cells = .allocate(byteCount: capacity * Self.cellSize, alignment: 8)
        pointers = .allocate(capacity: capacity)
        lengths = .allocate(capacity: capacity)
        formats = .allocate(capacity: capacity)
    }

    private func deallocate() {
        cells.deallocate()
        pointers.deallocate()
        lengths.deallocate()
        formats.deallocate()
    }
}
