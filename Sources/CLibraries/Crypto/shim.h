#ifndef CSAGAMORE_CRYPTO_SHIM_H
#define CSAGAMORE_CRYPTO_SHIM_H

#if !__has_include(<openssl/core_names.h>)
#error "OpenSSL 3 is missing: install libssl-dev (Debian, Ubuntu), openssl-devel (Fedora), openssl (brew)"
#endif

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>

// The parameters of a key refer to memory that has to live until the key is made, and their names are macros.

static inline EVP_PKEY *csagamore_crypto_make_key(const char *type, OSSL_PARAM *parameters) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (context != NULL && EVP_PKEY_fromdata_init(context) == 1) {
    (void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
  }
  EVP_PKEY_CTX_free(context);
  return key;
}

/// A public RSA key of big-endian numbers; NULL when they are none.
static inline EVP_PKEY *csagamore_crypto_rsa_key(
    const unsigned char *modulus, int modulus_size, const unsigned char *exponent, int exponent_size) {
  EVP_PKEY *key = NULL;
  BIGNUM *n = BN_bin2bn(modulus, modulus_size, NULL), *e = BN_bin2bn(exponent, exponent_size, NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (n != NULL && e != NULL && builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters != NULL) { key = csagamore_crypto_make_key("RSA", parameters); }
    OSSL_PARAM_free(parameters);
  }
  OSSL_PARAM_BLD_free(builder);
  BN_free(n);
  BN_free(e);
  return key;
}

/// A public key on P-256, of an uncompressed point; NULL when it is not on the curve.
static inline EVP_PKEY *csagamore_crypto_p256_key(const unsigned char *point, size_t size) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, size),
      OSSL_PARAM_construct_end(),
  };
  return csagamore_crypto_make_key("EC", parameters);
}

#endif
