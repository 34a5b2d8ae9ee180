// Takes OpenSSL's P-256 in plain C (ecp_nistp256.c, constant in time too) for the one in assembler,
// whose table of precomputed points is 0.15 MB that nothing compresses. A program that has this
// object takes nothing of ecp_nistz256.c from libcrypto.a. What it costs: verifying one signature
// of P-256 takes some 0.1 ms longer; the keys of a connection are agreed on with X25519.

// EC_METHOD is for OpenSSL itself since 3.0.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>

extern "C" {

// Declared in OpenSSL's crypto/ec/ec_local.h; the same since 1.1.
const EC_METHOD* EC_GFp_nistz256_method();
void* EC_nistz256_pre_comp_dup(void* table);
void EC_nistz256_pre_comp_free(void* table);

const EC_METHOD* EC_GFp_nistz256_method() {
  // Takes the other implementation's place in the table of curves.
  return EC_GFp_nistp256_method();
}

// For groups of the other implementation, which there are none of.
void* EC_nistz256_pre_comp_dup(void* table) {
  return table;
}
void EC_nistz256_pre_comp_free(void* /*table*/) {}

}  // extern "C"
