#ifndef CSAGAMORE_MICROHTTPD_SHIM_H
#define CSAGAMORE_MICROHTTPD_SHIM_H

#if !__has_include(<microhttpd.h>)
#error "libmicrohttpd is missing: install libmicrohttpd-dev (Debian, Ubuntu), libmicrohttpd-devel (Fedora)"
#endif

#include <microhttpd.h>
#include <sys/socket.h>

// Functions with variable arguments are not visible to Swift.

/// Starts a daemon with one thread of its own, which polls.
static inline struct MHD_Daemon *csagamore_mhd_start(const struct sockaddr *address, unsigned int connections,
                                                     unsigned int connections_of_one, unsigned int idle_seconds,
                                                     size_t memory, MHD_AccessHandlerCallback handler, void *context) {
  return MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, handler, context, MHD_OPTION_SOCK_ADDR, address,
                          MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                          connections_of_one, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_END);
}

/// The same for HTTPS, from TLS 1.2 on. The texts are PEM, and have to live as long as the daemon.
static inline struct MHD_Daemon *csagamore_mhd_start_tls(const struct sockaddr *address, unsigned int connections,
                                                         unsigned int connections_of_one, unsigned int idle_seconds,
                                                         size_t memory, MHD_AccessHandlerCallback handler,
                                                         void *context, const char *certificate, const char *key) {
  return MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, handler, context,
                          MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_CONNECTION_LIMIT, connections,
                          MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections_of_one, MHD_OPTION_CONNECTION_TIMEOUT,
                          idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_HTTPS_MEM_CERT,
                          certificate, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_PRIORITIES,
                          "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1", MHD_OPTION_END);
}

/// A response with a copy of a body.
static inline struct MHD_Response *csagamore_mhd_response(const void *body, size_t size) {
  return MHD_create_response_from_buffer(size, (void *)body, MHD_RESPMEM_MUST_COPY);
}

static inline unsigned int csagamore_mhd_port(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : 0;
}

#endif
