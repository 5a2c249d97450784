/// Lends libpq pointers to values for the time of one call.
///
/// Small values are laid out in slots of its own, large ones are lent where they are. Belongs to one connection.
final class ParameterBinder {
    private static let slotSize = 16
    private var capacity = 0
    private var slots = UnsafeMutableRawPointer.allocate(byteCount: 0, alignment: 8)
    /// For each parameter where its bytes are; nil for NULL.
    private(set) var pointers = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: 0)
    /// For each parameter how many bytes it has.
    private(set) var lengths = UnsafeMutablePointer<Int32>.allocate(capacity: 0)
    /// For each parameter its format: always binary.
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
                slot(index).storeBytes(of: high.bigEndian, as: UInt64.self)
                slot(index).storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
                set(index, slot(index), 16)
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

    private func slot(_ index: Int) -> UnsafeMutableRawPointer { slots + index * Self.slotSize }

    private func store<Number: FixedWidthInteger>(_ index: Int, _ value: Number) {
        slot(index).storeBytes(of: value.bigEndian, as: Number.self)
        set(index, slot(index), MemoryLayout<Number>.size)
    }

    /// An empty value may have no address, but without one it would be NULL.
    private func lend(_ index: Int, _ bytes: UnsafeRawBufferPointer) {
        set(index, bytes.baseAddress ?? UnsafeRawPointer(slot(index)), bytes.count)
    }

    private func set(_ index: Int, _ address: UnsafeRawPointer?, _ count: Int) {
        pointers[index] = address?.assumingMemoryBound(to: CChar.self)
        lengths[index] = Int32(truncatingIfNeeded: count)
        formats[index] = 1
    }

    private func grow(to count: Int) {
        deallocate()
        capacity = max(count, 16)
        slots = .allocate(byteCount: capacity * Self.slotSize, alignment: 8)
        pointers = .allocate(capacity: capacity)
        lengths = .allocate(capacity: capacity)
        formats = .allocate(capacity: capacity)
    }

    private func deallocate() {
        slots.deallocate()
        pointers.deallocate()
        lengths.deallocate()
        formats.deallocate()
    }
}
