internal import SagamoreKafkaClient
internal import SagamoreServices
internal import SagamoreSimulatedBroker

/// Compares the records on the topics with those that were committed to the outbox.
///
/// - `published`: the events of a workflow on the topic are the first ones of those that were committed, in that
///   order, each once. In the end they are all.
/// - `dead-letters`: a record has at most one dead letter, which was committed.
struct EventCheck {
    /// The values of the committed events by key, in order.
    private var events: [[UInt8]: [[UInt8]]] = [:]
    /// The keys in the order of their first event.
    private var keys: [[UInt8]] = []
    /// The committed dead letters by the place of their record.
    private var letters: Set<String> = []
    private var checkedRecords = 0

    /// Notes the records of a commit.
    mutating func committed(_ records: [OutboxRecord]) throws(Violation) {
        for record in records {
            if record.topic == ServerKafka.eventsTopic {
                let key = record.key ?? []
                if events[key] == nil { keys.append(key) }
                events[key, default: []].append(record.value ?? [])
            } else if record.topic == ServerKafka.deadLetterTopic {
                let place = Self.place(record.headers.map { ($0.name, $0.value) })
                guard letters.insert(place).inserted else {
                    throw Violation("dead-letters", "the record at \(place) has two dead letters")
                }
            }
        }
    }

    /// Where the record of a dead letter lies: partition and offset.
    static func place(_ headers: [(name: String, value: [UInt8]?)]) -> String {
        func text(_ name: String) -> String {
            String(decoding: headers.first { $0.name == name }?.value ?? [], as: UTF8.self)
        }
        return text("source.partition") + "/" + text("source.offset")
    }

    /// - Parameter isComplete: whether everything has to be published.
    mutating func checkPublished(_ broker: SimulatedBroker, isComplete: Bool) throws(Violation) {
        let published = broker.committedRecords(ServerKafka.eventsTopic)
        let dead = broker.committedRecords(ServerKafka.deadLetterTopic)
        guard isComplete || published.count + dead.count != checkedRecords else { return }
        checkedRecords = published.count + dead.count
        var counts: [[UInt8]: Int] = [:]
        for record in published {
            let key = record.key ?? []
            let place = counts[key, default: 0]
            counts[key] = place + 1
            guard let committed = events[key], place < committed.count, committed[place] == record.value else {
                throw Violation("published", Self.finding(record, place, events[key] ?? []))
            }
        }
        var seen: Set<String> = []
        for record in dead {
            let place = Self.place(record.headers.map { ($0.name, $0.value) })
            guard letters.contains(place), seen.insert(place).inserted else {
                throw Violation("dead-letters", "the record at \(place) has a dead letter that was not committed")
            }
        }
        guard isComplete else { return }
        for key in keys where counts[key] != events[key]?.count {
            let name = String(decoding: key, as: UTF8.self)
            throw Violation(
                "published",
                "\(counts[key] ?? 0) of \(events[key]?.count ?? 0) events of workflow \(name) were published"
            )
        }
        guard seen.count == letters.count else {
            throw Violation("dead-letters", "\(seen.count) of \(letters.count) dead letters were published")
        }
    }

    private static func finding(_ record: KafkaRecord, _ place: Int, _ committed: [[UInt8]]) -> String {
        let name = String(decoding: record.key ?? [], as: UTF8.self)
        let status = ShopEvent(record.value)?.status ?? "no event"
        let known = committed.map { ShopEvent($0)?.status ?? "no event" }.joined(separator: ", ")
        return "event \(place + 1) of workflow \(name) is \(status); committed were \(known)"
    }
}
