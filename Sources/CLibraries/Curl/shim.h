#ifndef CSAGAMORE_CURL_SHIM_H
#define CSAGAMORE_CURL_SHIM_H

#if !__has_include(<curl/curl.h>)
#error "libcurl is missing: install libcurl4-openssl-dev (Debian, Ubuntu), libcurl-devel (Fedora), curl (brew)"
#endif

#include <curl/curl.h>

// Functions with variable arguments are not visible to Swift.

typedef size_t (*csagamore_curl_receive)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode csagamore_curl_set_text(CURL *transfer, CURLoption option, const char *text) {
  return curl_easy_setopt(transfer, option, text);
}

static inline CURLcode csagamore_curl_set_number(CURL *transfer, CURLoption option, long number) {
  return curl_easy_setopt(transfer, option, number);
}

/// Follows no address to another protocol than HTTP.
static inline CURLcode csagamore_curl_set_protocols(CURL *transfer, int plain) {
  long allowed = plain ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS;
#if LIBCURL_VERSION_NUM >= 0x075500
  (void)allowed;
  return curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
#else
  return curl_easy_setopt(transfer, CURLOPT_PROTOCOLS, allowed);
#endif
}

/// Believes whatever certificate the other side has.
static inline CURLcode csagamore_curl_trust_anybody(CURL *transfer) {
  CURLcode code = curl_easy_setopt(transfer, CURLOPT_SSL_VERIFYPEER, 0L);
  return code == CURLE_OK ? curl_easy_setopt(transfer, CURLOPT_SSL_VERIFYHOST, 0L) : code;
}

static inline CURLcode csagamore_curl_set_receiver(CURL *transfer, csagamore_curl_receive receive, void *context) {
  CURLcode code = curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, receive);
  return code == CURLE_OK ? curl_easy_setopt(transfer, CURLOPT_WRITEDATA, context) : code;
}

static inline CURLcode csagamore_curl_status(CURL *transfer, long *status) {
  return curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, status);
}

#endif
