import Testing

@testable import SagamoreKafkaClient

@Suite struct ConsumerMailboxTests {
    private let first = KafkaPartition(topic: "t", partition: 0)
    private let second = KafkaPartition(topic: "t", partition: 1)

    @Test func `a partition that begins anew forgets what was wanted before, not what is wanted from then on`() {
        let mailbox = ConsumerMailbox()
        mailbox.commit([first: 9, second: 4])
        mailbox.forgetOffsets(of: [first])
        mailbox.commit([first: 1])
        let offsets = mailbox.drainOffsets()
        #expect(offsets.restarted == [first])
        #expect(offsets.next == [first: 1, second: 4])
        #expect(mailbox.drain().offsets.restarted.isEmpty)
    }
}
