#pragma once
#include <openssl/types.h>

#include <string>

#include "base/error.h"

namespace imgproc::http {

/// Makes `store` trust the certificates of a PEM file. One is parsed when something that it may
/// have issued is first verified: OpenSSL 3 takes 40 ms for the 150 that a system has, of which
/// AWS's endpoints need one. What is trusted is the same. Error TLS_FAILED if the file cannot be
/// read or has no certificate.
[[nodiscard]] base::Status trust_roots(X509_STORE* store, const std::string& pem_file);

}  // namespace imgproc::http
