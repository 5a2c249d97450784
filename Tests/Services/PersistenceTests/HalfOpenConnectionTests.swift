import Foundation
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Testing

extension PersistenceTests {
    /// TCP connections of lanes whose other end is gone without a FIN or RST: the machine lost power, or the network is
    /// down.
    @Suite(.enabled(if: PrivateNetwork.obstacle == nil, "\(PrivateNetwork.obstacle ?? "")"))
    struct HalfOpenConnections {
        @Test func bothEndsOfALanesConnectionProbeTheOther() throws {
            let database = try RemoteDatabase()
            defer { database.stop() }
            let url = database.remoteURL
            let (server, client, isProbing) = try database.network.run {
                let session = try PostgresConnection(
                    url,
                    applicationName: "lane",
                    sessionSettings: SessionSettings.lane
                )
                // PostgreSQL reads these from the socket. They are 0 for a Unix socket.
                let names = ["keepalives_idle", "keepalives_interval", "keepalives_count", "user_timeout"]
                let server = try names.map { name in
                    let sql = "select setting::int4 from pg_settings where name = 'tcp_\(name)'"
                    return try session.query(PostgresStatement(name, sql, readsOnly: true)).int32(0, 0)
                }
                let port = PostgresStatement("port", "select inet_client_port()", readsOnly: true)
                let localPort = UInt16(try session.query(port).int32(0, 0))
                let socket = try #require(PrivateNetwork.socket(localPort: localPort))
                let options = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT]
                let client = try options.map { try Self.option(socket, Int32(IPPROTO_TCP), $0) }
                return (server, client, try Self.option(socket, SOL_SOCKET, SO_KEEPALIVE))
            }
            // Seconds, seconds, probes, milliseconds.
            #expect(server == [5, 2, 3, 10_000])
            #expect(client == [5, 2, 3, 10_000])
            #expect(isProbing == 1)
        }

        /// While PostgreSQL waits for the rest of a pipeline, the transaction does not count as idle. So only TCP's
        /// timeouts end the session.
        @Test func aLaneThatDisappearsInTheMiddleOfACommitHoldsItsShardForSecondsOnly() throws {
            let database = try RemoteDatabase()
            defer { database.stop() }
            // All sessions but the lane's use the Unix socket, which works without the network.
            let session = try connect(database.localURL)
            _ = try Migrator.migrate(session, shardCount: 1)
            // The commit blocks after its fence. Most of it is not sent yet.
            try session.execute("begin; lock table sagamore.runs in share mode")
            let url = database.remoteURL
            let commit = database.network.begin { try Self.commit(url) }
            let observer = try connect(database.localURL)
            try Self.wait(observer, until: "Lock")
            try database.network.cutLink()
            try session.execute("rollback")
            try Self.wait(observer, until: "Client")
            let lock = "select from sagamore.shards for update nowait"
            let refusal = #expect(throws: PostgresError.self) { try session.execute(lock) }
            #expect(refusal?.sqlState == "55P03")

            // Waits for the row's lock, which would be held for hours without the timeouts.
            try session.execute("set statement_timeout = '60s'")
            try session.execute("update sagamore.shards set lease_until = '-infinity', owner = ''")
            let next = try Storage.lane(database.localURL)
            let taken = try #require(try next.takeShard(0, as: ShardOwner(node: "other", process: "other")))
            #expect(taken.epoch == 2 && taken.commitCount == 0)
            #expect(try session.query(PostgresStatement("runs", "select from sagamore.runs")).rowCount == 0)
            // The lane notices, too, and knows that nothing was committed.
            let outcome = try commit.value()
            guard case .transient = outcome else { return #expect(Bool(false), "\(String(describing: outcome))") }
        }

        /// Takes shard 0 and commits far more than fits into the buffers of a connection.
        private static func commit(_ url: String) throws -> CommitError? {
            let settings = SessionSettings.lane
            let lane = PostgresLaneStore(
                try PostgresConnection(url, applicationName: "lane", sessionSettings: settings)
            )
            let taken = try #require(try lane.takeShard(0, as: Storage.owner))
            let megabyte = [UInt8](repeating: 0, count: 1 << 20)
            var batch = CommitBatch()
            batch.newRuns = [Storage.run(1)]
            batch.alarms = [Storage.alarm(1, .insert(.active))]
            batch.journal = (1...64).map { Storage.journal(1, $0, first: $0, events: megabyte) }
            do throws(CommitError) {
                try lane.commit(batch, fence: ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: 0))
                return nil
            } catch {
                return error
            }
        }

        /// Waits until the lane's session waits for something of the kind.
        private static func wait(_ observer: PostgresConnection, until kind: String) throws {
            let waiting = PostgresStatement(
                "waiting \(kind)",
                "select from pg_stat_activity where application_name = 'lane' and wait_event_type = '\(kind)'",
                readsOnly: true
            )
            let deadline = ContinuousClock.now + .seconds(60)
            while try observer.query(waiting).rowCount == 0 {
                try #require(ContinuousClock.now < deadline, "the lane's session does not wait for \(kind)")
                usleep(1_000)
            }
        }

        private static func option(_ socket: Int32, _ level: Int32, _ name: Int32) throws -> Int32 {
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(socket, level, name, &value, &length) == 0 else { throw SystemCallError("getsockopt") }
            return value
        }
    }
}

/// A database on a server that listens in a network of its own.
private final class RemoteDatabase {
    let network: PrivateNetwork
    /// Through the server's Unix socket.
    let localURL: String
    /// Through the network; only threads inside it can connect.
    let remoteURL: String
    private let server: TemporaryPostgres
    private let accessRules: String

    init() throws {
        let network = try PrivateNetwork()
        accessRules = NSTemporaryDirectory() + "sagamore-access-rules-\(UUID().uuidString)"
        try "local all all trust\nhost all all 127.0.0.1/32 trust\n".write(
            toFile: accessRules,
            atomically: true,
            encoding: .utf8
        )
        // The database's user reads it.
        chmod(accessRules, 0o644)
        let settings = ["listen_addresses": "127.0.0.1", "hba_file": accessRules]
        server = try network.run { try TemporaryPostgres(settings: settings) }
        self.network = network
        localURL = try server.createDatabase()
        remoteURL = localURL.prefix { $0 != "?" } + "?host=127.0.0.1"
    }

    func stop() {
        try? server.stop()
        try? FileManager.default.removeItem(atPath: accessRules)
    }
}
