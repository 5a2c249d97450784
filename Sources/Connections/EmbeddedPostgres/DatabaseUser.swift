internal import Glibc

/// The user that runs PostgreSQL. PostgreSQL refuses to run as root, so root runs it as another user.
struct DatabaseUser: Equatable {
    let name: String
    let id: UInt32
    let group: UInt32
    /// Whether it differs from this process's user.
    let isOther: Bool

    /// This process's user; for root, the owner of an existing cluster, otherwise `postgres` or `nobody`.
    static func choose(clusterOwner: UInt32?) throws(EmbeddedPostgresError) -> DatabaseUser {
        let own = geteuid()
        guard own == 0 else {
            if let clusterOwner, clusterOwner != own {
                throw EmbeddedPostgresError(
                    .user,
                    "the database files belong to user \(clusterOwner): run as that user or as root"
                )
            }
            return DatabaseUser(name: "", id: own, group: getegid(), isOther: false)
        }
        if let clusterOwner, clusterOwner != 0 {
            guard let user = getpwuid(clusterOwner).flatMap(DatabaseUser.init) else {
                throw EmbeddedPostgresError(
                    .user,
                    "the database files belong to user \(clusterOwner), who no longer exists"
                )
            }
            return user
        }
        guard
            let user = getpwnam("postgres").flatMap(DatabaseUser.init) ?? getpwnam("nobody").flatMap(DatabaseUser.init)
        else {
            throw EmbeddedPostgresError(
                .user,
                "PostgreSQL refuses to run as root, and no user postgres or nobody exists: create one, or don't be root"
            )
        }
        return user
    }

    private init(name: String, id: UInt32, group: UInt32, isOther: Bool) {
        self.name = name
        self.id = id
        self.group = group
        self.isOther = isOther
    }

    private init?(_ entry: UnsafeMutablePointer<passwd>) {
        guard entry.pointee.pw_uid != 0 else { return nil }
        self.init(
            name: String(cString: entry.pointee.pw_name),
            id: entry.pointee.pw_uid,
            group: entry.pointee.pw_gid,
            isOther: true
        )
    }

    /// Whether this user can access `folder` and its parents. Supplementary groups are not considered.
    func canReach(_ folder: String) -> Bool {
        guard let real = Files.realPath(folder) else { return false }
        var path = ""
        for part in [""] + real.split(separator: "/").map(String.init) {
            path += part.isEmpty ? "/" : (path == "/" ? part : "/" + part)
            guard let status = Files.status(path) else { return false }
            let bit: UInt32 = status.owner == id ? 0o100 : status.group == group ? 0o010 : 0o001
            if status.mode & bit == 0 { return false }
        }
        return true
    }

    /// The command that runs `command` as this user.
    ///
    /// `setpriv` execs the program, so the child's pid is PostgreSQL's. `runuser` and `su` stay as its parent, so
    /// nothing relies on that pid. All three are part of every Debian. A helper of our own would have to be installed.
    func command(running command: [String], tools: [String] = Self.tools) throws(EmbeddedPostgresError) -> [String] {
        guard isOther else { return command }
        for tool in tools where access(tool, X_OK) == 0 {
            switch tool.split(separator: "/").last {
            case "setpriv": return [tool, "--reuid=\(id)", "--regid=\(group)", "--clear-groups", "--"] + command
            case "runuser": return [tool, "-u", name, "--"] + command
            case "su": return [tool, name, "-s", "/bin/sh", "-c", "exec \"$0\" \"$@\"", "--"] + command
            default: continue
            }
        }
        throw EmbeddedPostgresError(
            .user,
            "PostgreSQL refuses to run as root, and setpriv, runuser and su are all missing (Debian: util-linux)"
        )
    }

    static let tools = ["setpriv", "runuser", "su"].flatMap { tool in
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"].map { $0 + tool }
    }
}
