/// The settings of the private PostgreSQL, each with its reason; they are written to `postgresql.conf` at every start.
struct ServerSettings {
    struct Setting {
        let name: String
        let value: String
        let reason: String
    }

    let settings: [Setting]

    init(socketFolder: String, additional: [String: String] = [:]) {
        func setting(_ name: String, _ value: String, _ reason: String) -> Setting {
            Setting(name: name, value: value, reason: reason)
        }
        var settings = [
            setting("listen_addresses", "", "no TCP: only this machine's user comes in, through the socket"),
            setting(
                "unix_socket_directories",
                socketFolder,
                "short (a socket's path has 107 bytes at most) and private"
            ),
            setting("unix_socket_permissions", "0700", "the socket is for the user who runs this server, and root"),
            setting("port", "\(EmbeddedPostgres.port)", "only names the socket"),

            setting("fsync", "on", "a commit survives a power failure"),
            setting("synchronous_commit", "on", "a commit is answered when it is on the disk"),
            setting("full_page_writes", "on", "a page torn by a power failure can be repaired"),

            setting("wal_level", "minimal", "nobody replicates from here; crash recovery needs no more"),
            setting("max_wal_senders", "0", "wal_level minimal demands it"),
            setting("wal_buffers", "16MB", "a large batch does not wait for the log's buffer"),
            setting("max_wal_size", "1GB", "bounds the disk used for the log, and the time of a recovery"),
            setting("min_wal_size", "160MB", "log files are used again instead of made anew"),
            setting("checkpoint_timeout", "15min", "fewer checkpoints: fewer whole pages in the log"),
            setting(
                "checkpoint_completion_target",
                "0.9",
                "a checkpoint's writes are spread, commits go on beside them"
            ),

            setting("shared_buffers", "128MB", "small beside the other programs of a developer's machine"),
            setting("huge_pages", "off", "huge pages are seldom set up on such machines"),
            setting("max_connections", "100", "three for each shard, 16 on large machines, and a psql or two"),
            setting("max_parallel_workers_per_gather", "0", "short statements only: no helpers"),
            setting("jit", "off", "compiling costs more than short statements take"),
            setting("random_page_cost", "1.1", "solid state disks: an index is worth its reads"),
            setting("autovacuum", "on", "rows that are updated all the time leave dead ones behind"),
            setting("autovacuum_naptime", "15s", "… and few tables have most of them"),

            setting("log_destination", "stderr", "a file beside the cluster"),
            setting("logging_collector", "off", "one process less; the file is rotated at starts"),
            setting("log_error_verbosity", "terse", "no DETAIL: it quotes values"),
            setting("log_min_error_statement", "panic", "no statements: they may hold values"),
            setting("log_checkpoints", "off", "routine"),
            setting("log_timezone", "UTC", "as all other logs"),
            setting("timezone", "UTC", "independent of the machine"),
            setting("lc_messages", "C", "errors in one language"),
            setting("datestyle", "iso, ymd", "independent of the machine"),
        ]
        for (name, value) in additional.sorted(by: { $0.key < $1.key }) {
            settings.removeAll { $0.name == name }
            settings.append(setting(name, value, "asked for"))
        }
        self.settings = settings
    }

    /// The text of `postgresql.conf`.
    var file: String {
        let lines = settings.map { setting in
            let value = setting.value.replacing("'", with: "''")
            return "\(setting.name) = '\(value)'  # \(setting.reason)"
        }
        return "# Written by Sagamore at every start of its private PostgreSQL; what stands in\n"
            + "# postgresql.auto.conf (ALTER SYSTEM) wins over it.\n"
            + lines.joined(separator: "\n") + "\n"
    }
}
