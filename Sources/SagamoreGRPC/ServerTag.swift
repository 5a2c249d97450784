/// What comes back from the completion queue: which call, and which of the things asked for it.
///
/// A tag is the call record's address with the kind in its lowest bits (objects are aligned to 16 bytes). Each tag that
/// is out holds one reference to its record.
enum ServerTag {
    enum Kind: UInt {
        /// A new call has come into the record.
        case call = 1
        /// The answer has been sent, or can't be.
        case answer = 2
        /// The call is over.
        case end = 3
        /// The server has shut down; no record.
        case shutdown = 4
    }

    private static let kindBits: UInt = 0xF

    static var shutdown: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: Kind.shutdown.rawValue) }

    /// The tag for a record; takes a reference, which `take` gives back.
    static func make(_ record: ServerCallRecord, _ kind: Kind) -> UnsafeMutableRawPointer {
        record.handover.give()
        return Unmanaged.passRetained(record).toOpaque() + Int(kind.rawValue)
    }

    static func kind(_ tag: UnsafeMutableRawPointer) -> Kind {
        guard let kind = Kind(rawValue: UInt(bitPattern: tag) & kindBits) else {
            fatalError("a tag came back that was never given out")
        }
        return kind
    }

    /// The record of a tag, with the tag's reference.
    static func take(_ tag: UnsafeMutableRawPointer, _ kind: Kind) -> ServerCallRecord {
        let record = Unmanaged<ServerCallRecord>.fromOpaque(tag - Int(kind.rawValue)).takeRetainedValue()
        record.handover.take()
        return record
    }
}
