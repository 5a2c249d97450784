#ifndef CSAGAMORE_TLS_SHIM_H
#define CSAGAMORE_TLS_SHIM_H

#if !__has_include(<openssl/ssl.h>)
#error "OpenSSL is missing: install libssl-dev (Debian, Ubuntu), openssl-devel (Fedora), openssl (brew)"
#endif

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

// Macros are not visible to Swift.

static inline int csagamore_tls_set_oldest_version(SSL_CTX *context) {
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

static inline long csagamore_tls_set_mode(SSL_CTX *context) {
  return SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

static inline long csagamore_tls_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
  return SSL_CTX_add0_chain_cert(context, certificate);
}

/// Tells the server the name that the client wants to reach.
static inline long csagamore_tls_announce(SSL *stream, const char *name) {
  return SSL_set_tlsext_host_name(stream, name);
}

/// Writes a name as in RFC 2253.
static inline int csagamore_tls_write_name(BIO *bio, const X509_NAME *name) {
  return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
}

static inline size_t csagamore_bio_pending(BIO *bio) {
  return BIO_ctrl_pending(bio);
}

#endif
