/// The settings of the private PostgreSQL with their reasons, written to `postgresql.conf` at every start.
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
            setting("listen_addresses", "", "no TCP: only local users connect, through the socket"),
            setting(
                "unix_socket_directories",
                socketFolder,
                "short (socket paths are limited to 107 bytes) and private"
            ),
            setting("unix_socket_permissions", "0700", "only the user that runs this server, and root"),
            setting("port", "\(EmbeddedPostgres.port)", "only names the socket"),

            setting("fsync", "on", "a commit survives a power failure"),
            setting("synchronous_commit", "on", "a commit is acknowledged once it is on disk"),
            setting("full_page_writes", "on", "a page torn by a power failure can be repaired"),

            setting("wal_level", "minimal", "no replication; crash recovery needs no more"),
            setting("max_wal_senders", "0", "required by wal_level = minimal"),
            setting("wal_buffers", "16MB", "a large batch does not wait for WAL buffers"),
            setting("max_wal_size", "1GB", "bounds WAL disk usage and recovery time"),
            setting("min_wal_size", "160MB", "WAL files are recycled, not created"),
            setting("checkpoint_timeout", "15min", "fewer checkpoints, fewer full-page images"),
            setting(
                "checkpoint_completion_target",
                "0.9",
                "checkpoint writes are spread out beside commits"
            ),

            setting("shared_buffers", "128MB", "leaves memory to a developer's other programs"),
            setting("huge_pages", "off", "seldom configured on such machines"),
            setting("max_connections", "100", "three for each of up to 16 shards, and a psql or two"),
            setting("max_parallel_workers_per_gather", "0", "short statements only"),
            setting("jit", "off", "compiling costs more than short statements"),
            setting("random_page_cost", "1.1", "solid-state disks: index reads are cheap"),
            setting("autovacuum", "on", "frequently updated rows leave dead rows behind"),
            setting("autovacuum_naptime", "15s", "… in few tables"),

            setting("log_destination", "stderr", "a file beside the cluster"),
            setting("logging_collector", "off", "one process less; the file is rotated at startup"),
            setting("log_error_verbosity", "terse", "no DETAIL: it quotes values"),
            setting("log_min_error_statement", "panic", "no statements: they may hold values"),
            setting("log_checkpoints", "off", "routine"),
            setting("log_timezone", "UTC", "like all other logs"),
            setting("timezone", "UTC", "independent of the machine"),
            setting("lc_messages", "C", "errors in one language"),
            setting("datestyle", "iso, ymd", "independent of the machine"),
        ]
        for (name, value) in additional.sorted(by: { $0.key < $1.key }) {
            settings.removeAll { $0.name == name }
            settings.append(setting(name, value, "requested"))
        }
        self.settings = settings
    }

    /// The text of `postgresql.conf`.
    var file: String {
        let lines = settings.map { setting in
            let value = setting.value.replacing("'", with: "''")
            return "\(setting.name) = '\(value)'  # \(setting.reason)"
        }
        return "# Written by Sagamore at every start of its private PostgreSQL. Settings in\n"
            + "# postgresql.auto.conf (ALTER SYSTEM) override it.\n"
            + lines.joined(separator: "\n") + "\n"
    }
}
