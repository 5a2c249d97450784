#ifndef CSAGAMORE_HTTP2_SHIM_H
#define CSAGAMORE_HTTP2_SHIM_H

#if !__has_include(<nghttp2/nghttp2.h>)
#error "nghttp2 is missing: install libnghttp2-dev (Debian, Ubuntu), libnghttp2-devel (Fedora), libnghttp2 (brew)"
#endif

#include <nghttp2/nghttp2.h>
#include <stdint.h>

// What the system has for many sockets on one thread; Swift's module of it leaves these out.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// Starts or changes the watch on a descriptor. 0, or -1 with `errno`.
static inline int csagamore_watch(int poll, int operation, int descriptor, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
  return epoll_ctl(poll, operation, descriptor, &event);
}

/// Takes a connection that does not block and that no child process inherits.
static inline int csagamore_accept(int listener, struct sockaddr *address, socklen_t *length) {
  extern int accept4(int, struct sockaddr *, socklen_t *, int);
  return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#endif
