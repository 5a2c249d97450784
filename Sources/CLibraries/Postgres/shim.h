#ifndef SAGAMORE_POSTGRES_SHIM_H
#define SAGAMORE_POSTGRES_SHIM_H

// libpq, PostgreSQL's C client library, version 14 or newer (pipeline mode).
// Debian and Ubuntu keep its header in a folder of its own, others do not.
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#elif __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#elif __has_include(<pgsql/libpq-fe.h>)
#include <pgsql/libpq-fe.h>
#else
#error "libpq is missing: install libpq-dev (Debian, Ubuntu, Alpine), libpq-devel (Fedora), postgresql-libs (Arch)"
#endif

#ifndef LIBPQ_HAS_PIPELINING
#error "libpq is too old: version 14 or newer is needed (pipeline mode)."
#endif

/// Drops notices: without a receiver libpq prints them to standard error.
static inline void sagamore_pq_ignore_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

/// Makes `connection` drop the server's notices.
static inline void sagamore_pq_ignore_notices(PGconn *connection) {
    PQsetNoticeReceiver(connection, sagamore_pq_ignore_notice, (void *)0);
}

// The fields of an error, which the header defines as characters.
static inline int sagamore_pq_field_severity(void) { return PG_DIAG_SEVERITY_NONLOCALIZED; }
static inline int sagamore_pq_field_sqlstate(void) { return PG_DIAG_SQLSTATE; }
static inline int sagamore_pq_field_message(void) { return PG_DIAG_MESSAGE_PRIMARY; }
static inline int sagamore_pq_field_constraint(void) { return PG_DIAG_CONSTRAINT_NAME; }

#endif
