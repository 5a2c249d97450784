internal import FoundationEssentials
internal import Glibc

/// The location of PostgreSQL's programs.
struct PostgresPrograms: Equatable {
    /// The folder with `initdb` and `postgres`.
    let folder: String

    var initdb: String { folder + "/initdb" }
    var postgres: String { folder + "/postgres" }

    /// Finds the programs in `SAGAMORE_POSTGRES_BIN`, on PATH, or where distributions install them (newest version
    /// first).
    ///
    /// - Parameter major: the required major version; nil for any.
    static func find(
        major: Int? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        distributionFolders: [String] = versionedFolders()
    ) throws(EmbeddedPostgresError) -> PostgresPrograms {
        if let chosen = environment["SAGAMORE_POSTGRES_BIN"], !chosen.isEmpty {
            guard let programs = PostgresPrograms(in: chosen) else {
                throw EmbeddedPostgresError(
                    .programsMissing,
                    "SAGAMORE_POSTGRES_BIN is \(chosen), which does not contain initdb and postgres"
                )
            }
            return programs
        }
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let found = (path + distributionFolders).compactMap { PostgresPrograms(in: $0) }
        guard let first = found.first else {
            throw EmbeddedPostgresError(
                .programsMissing,
                """
                PostgreSQL's programs initdb and postgres were not found. Install the package postgresql (Debian, \
                Ubuntu: apt-get install postgresql; Fedora, RHEL: postgresql-server; Alpine, Arch: postgresql), or let \
                SAGAMORE_POSTGRES_BIN name the folder that has them.
                """
            )
        }
        guard let major else { return first }
        return found.first { $0.major == major } ?? first
    }

    /// The programs in `folder`, with links resolved, since programs need the files next to their targets; nil when
    /// they are missing.
    private init?(in folder: String) {
        guard access(folder + "/initdb", X_OK) == 0, access(folder + "/postgres", X_OK) == 0,
            let real = Files.realPath(folder + "/postgres")
        else { return nil }
        let home = String(real.dropLast("/postgres".count))
        self.folder = access(home + "/initdb", X_OK) == 0 ? home : folder
    }

    /// The version in the path of a package, such as `/usr/lib/postgresql/15/bin`. Numbers in other paths mean
    /// something else.
    var major: Int? {
        let prefixes = ["/usr/lib/postgresql/", "/usr/pgsql-", "/usr/libexec/postgresql"]
        guard let prefix = prefixes.first(where: folder.hasPrefix) else { return nil }
        return Int(folder.dropFirst(prefix.count).prefix { $0.isNumber })
    }

    /// The version folders of Debian and RHEL, newest first, then the default prefix of source builds.
    private static func versionedFolders() -> [String] {
        func versions(_ parent: String, _ prefix: String, _ suffix: String) -> [(Int, String)] {
            Files.names(in: parent).compactMap { name in
                guard name.hasPrefix(prefix), let major = Int(name.dropFirst(prefix.count)) else { return nil }
                return (major, "\(parent)/\(name)\(suffix)")
            }
        }
        let found =
            versions("/usr/lib/postgresql", "", "/bin") + versions("/usr", "pgsql-", "/bin")
            + versions("/usr/libexec", "postgresql", "")
        return found.sorted { $0.0 > $1.0 }.map(\.1) + ["/usr/local/pgsql/bin"]
    }
}
