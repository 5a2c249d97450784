#ifndef CSAGAMORE_GRPC_SHIM_H
#define CSAGAMORE_GRPC_SHIM_H

#if !__has_include(<grpc/grpc.h>)
#error "gRPC's C core is missing: install libgrpc-dev (Debian, Ubuntu), grpc-devel (Fedora), grpc (brew)"
#endif

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

// Macros with expressions are not visible to Swift.

static inline const uint8_t *csagamore_slice_bytes(const grpc_slice *slice) {
  return GRPC_SLICE_START_PTR(*slice);
}

static inline uint8_t *csagamore_slice_mutable_bytes(grpc_slice *slice) {
  return GRPC_SLICE_START_PTR(*slice);
}

static inline size_t csagamore_slice_length(const grpc_slice *slice) {
  return GRPC_SLICE_LENGTH(*slice);
}

static inline uint32_t csagamore_propagate_defaults(void) {
  return GRPC_PROPAGATE_DEFAULTS;
}

/// What the C core writes to while a call of this process is under way: it needs addresses that stay where they are.
typedef struct csagamore_client_call {
  grpc_metadata_array initial_metadata;
  grpc_metadata_array trailing_metadata;
  grpc_byte_buffer *message;
  grpc_status_code status;
  grpc_slice status_details;
  /// Guards what Swift keeps about the call.
  pthread_mutex_t lock;
} csagamore_client_call;

#endif
