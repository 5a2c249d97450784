public import SagamoreEngine

/// The table that maps slices of all workflow ids to shards.
///
/// The slice of a workflow follows from its namespace and id, is stored in its rows, and never changes. The shard of a
/// slice is a row of a table, so changing the number of shards only updates that table.
public struct SliceTable: Sendable, Equatable {
    /// The move of a slice to another shard.
    public struct Move: Sendable, Equatable {
        /// The slice.
        public let slice: Int
        /// The shard that has it.
        public let from: Int32
        /// The shard that gets it.
        public let to: Int32

        /// Creates a move.
        public init(slice: Int, from: Int32, to: Int32) {
            self.slice = slice
            self.from = from
            self.to = to
        }
    }

    /// The number of slices. It is fixed, because the `slice` of each row depends on it.
    public static let sliceCount = 4_096

    /// Names the table: the number of its changes in the upper half, a digest of its rows in the lower one. So a
    /// database that has lost a change and makes another one does not give two tables the same name. A shard is taken
    /// only by a process that knows the newest version.
    public let version: Int64
    /// The number of shards that have to be owned, beginning with 0: those with slices, and those without whose outbox
    /// is not published yet.
    public let shardCount: Int
    private let shards: [Int32]

    /// - Parameter shards: the shard of each slice.
    public init(version: Int64, shardCount: Int, shards: [Int32]) {
        precondition(shards.count == Self.sliceCount && shards.allSatisfy { $0 >= 0 && $0 < shardCount })
        self.version = version
        self.shardCount = shardCount
        self.shards = shards
    }

    /// The table of a new database: each of `count` shards has a range of slices.
    public static func even(over count: Int) -> SliceTable {
        SliceTable(version: 1, shardCount: count, shards: (0..<sliceCount).map { Int32($0 * count / sliceCount) })
    }

    /// The slice of a workflow: FNV-1a over namespace and id.
    public static func slice(of key: WorkflowKey) -> Int { Int(hash(of: key) % UInt64(sliceCount)) }

    /// A hash of a workflow's key that is the same in every process.
    package static func hash(of key: WorkflowKey) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        withUnsafeBytes(of: key.namespace.littleEndian) { for byte in $0 { add(byte) } }
        for byte in key.workflowID.utf8 { add(byte) }
        // The low bits of this hash are weak on their own.
        return hash ^ hash >> 32
    }

    /// The shard that has a slice.
    public subscript(slice: Int) -> Int32 { shards[slice] }

    /// The shard that has a workflow's slice.
    public func shard(of key: WorkflowKey) -> Int32 { shardCount == 1 ? 0 : shards[Self.slice(of: key)] }

    /// The version of the table after some moves.
    package func version(after moves: [Move]) -> Int64 {
        var shards = shards
        for move in moves { shards[move.slice] = move.to }
        var digest: UInt32 = 0x811c_9dc5
        for shard in shards {
            for shift in [0, 8, 16, 24] as [Int32] {
                digest = (digest ^ UInt32(truncatingIfNeeded: shard >> shift & 0xFF)) &* 0x0100_0193
            }
        }
        return (version >> 32 + 1) << 32 | Int64(digest)
    }

    /// The number of shards that have slices.
    public var usedShardCount: Int { Set(shards).count }

    /// The fewest moves after which the first `count` shards have equally many slices, give or take one.
    public func moves(over count: Int) -> [Move] {
        precondition((1...Self.sliceCount).contains(count))
        var slices = [[Int]](repeating: [], count: count)
        var moving: [Int] = []
        for (slice, shard) in shards.enumerated() {
            if shard < count { slices[Int(shard)].append(slice) } else { moving.append(slice) }
        }
        var targets = [Int](repeating: Self.sliceCount / count, count: count)
        // The largest shards keep the extra slice, so it need not move.
        let largestFirst = (0..<count).sorted { (-slices[$0].count, $0) < (-slices[$1].count, $1) }
        for shard in largestFirst.prefix(Self.sliceCount % count) { targets[shard] += 1 }
        for shard in 0..<count { moving += slices[shard].dropFirst(targets[shard]) }
        var rest = moving.sorted()[...]
        return (0..<count).flatMap { shard in
            let taken = rest.prefix(max(0, targets[shard] - slices[shard].count))
            rest = rest.dropFirst(taken.count)
            return taken.map { Move(slice: $0, from: shards[$0], to: Int32(shard)) }
        }
    }
}
