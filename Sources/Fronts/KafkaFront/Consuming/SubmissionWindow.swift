/// Bounds what the commands of all partitions have under way in each shard, so that a client's request never waits
/// behind a long queue of commands. Pure.
struct SubmissionWindow {
    private struct Shard {
        var weight = 0
        /// A record was refused, and no room was announced since.
        var hasRefused = false
    }

    /// The weight at which a shard admits nothing more.
    let limit: Int
    private var shards: [Int: Shard] = [:]

    init(limit: Int) { self.limit = limit }

    /// The weight of a shard's records that are submitted and not answered.
    func weight(of shard: Int) -> Int { shards[shard]?.weight ?? 0 }

    /// Admits a record while its shard is below the limit, so one heavy record may exceed it.
    ///
    /// - Returns: whether the record was admitted.
    mutating func admit(_ weight: Int, to shard: Int) -> Bool {
        guard self.weight(of: shard) < limit else {
            shards[shard]?.hasRefused = true
            return false
        }
        shards[shard, default: Shard()].weight += weight
        return true
    }

    /// A record was answered.
    ///
    /// - Returns: whether to submit again. Records were refused, and at least a quarter of the window is free: a
    ///   submission for each free place would wake a thread for each record.
    mutating func release(_ weight: Int, of shard: Int) -> Bool {
        precondition(self.weight(of: shard) >= weight, "more records were answered than submitted")
        shards[shard]?.weight -= weight
        guard shards[shard]?.hasRefused == true, self.weight(of: shard) <= limit * 3 / 4 else { return false }
        shards[shard]?.hasRefused = false
        return true
    }
}
