internal import CSagamoreHTTP2

/// Header fields in the form of nghttp2.
enum HeaderFields {
    typealias List = UnsafeMutableBufferPointer<nghttp2_nv>

    /// Fields that are never changed or freed.
    static func lasting(_ fields: [nghttp2_nv]) -> List {
        let place = List.allocate(capacity: fields.count)
        _ = place.initialize(from: fields)
        return place
    }

    /// A field with a static text, which is neither copied nor freed.
    static func constant(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start),
            value: UnsafeMutablePointer(mutating: value.utf8Start),
            namelen: name.utf8CodeUnitCount,
            valuelen: value.utf8CodeUnitCount,
            flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        )
    }

    /// A field for one message.
    enum Field {
        case constant(nghttp2_nv)
        /// A value of a name that ends in `-bin` is encoded.
        ///
        /// - Parameter isRepeated: whether the same field comes again: then the peer's table keeps it. Values that
        ///   always differ would only evict others.
        case text(String, [UInt8], isRepeated: Bool)
    }

    /// Calls `body` with the fields, in order. They are valid while it runs.
    static func with<Result>(_ fields: [Field], _ body: (List) -> Result) -> Result {
        // One allocation for all names and values.
        var text: [UInt8] = []
        var lengths: [(name: Int, value: Int)] = []
        for case .text(let name, let value, _) in fields {
            let value = name.hasSuffix("-bin") ? BinaryField.encoded(value) : value
            text.append(contentsOf: name.utf8)
            text.append(contentsOf: value)
            lengths.append((name.utf8.count, value.count))
        }
        return text.withUnsafeMutableBufferPointer { text in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) { list in
                var start = text.baseAddress
                var rest = lengths[...]
                for (index, field) in fields.enumerated() {
                    switch field {
                    case .constant(let field): list.initializeElement(at: index, to: field)
                    case .text(_, _, let isRepeated):
                        let (name, value) = rest.removeFirst()
                        let flag = isRepeated ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX
                        let field = nghttp2_nv(
                            name: start,
                            value: start.map { $0 + name },
                            namelen: name,
                            valuelen: value,
                            flags: UInt8(flag.rawValue)
                        )
                        list.initializeElement(at: index, to: field)
                        start = start.map { $0 + name + value }
                    }
                }
                return body(list)
            }
        }
    }
}
