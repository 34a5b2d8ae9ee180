#include "http/trusted_roots.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace imgproc::http {
namespace {

/// Certificates in DER that are not in the store yet.
struct Waiting {
  std::mutex mutex;
  std::vector<std::string> certificates;
};

/// Moves what fits `name` into the store; the first that has this subject goes into `found` as
/// well.
bool take(Waiting& waiting, X509_STORE* store, const X509_NAME* name, std::string_view encoded_name,
          X509_OBJECT* found) {
  bool any = false;
  std::erase_if(waiting.certificates, [&](const std::string& der) {
    if (!der.contains(encoded_name)) return false;
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    X509* certificate = d2i_X509_AUX(nullptr, &at, static_cast<long>(der.size()));
    if (certificate == nullptr) return true;
    if (X509_STORE_add_cert(store, certificate) == 1 && !any &&
        X509_NAME_cmp(X509_get_subject_name(certificate), name) == 0 &&
        X509_OBJECT_set1_X509(found, certificate) == 1) {
      any = true;
      // The caller counts its reference itself (X509_LOOKUP_meth_new(3)).
      X509_free(certificate);
    }
    X509_free(certificate);
    return true;
  });
  ERR_clear_error();
  return any;
}

int get_by_subject(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name,
                   X509_OBJECT* found) {
  if (type != X509_LU_X509) return 0;
  auto& waiting = *static_cast<Waiting*>(X509_LOOKUP_get_method_data(lookup));
  unsigned char* encoded = nullptr;
  const int length = i2d_X509_NAME(name, &encoded);
  if (length <= 0) return 0;
  const std::string encoded_name(reinterpret_cast<char*>(encoded),
                                 static_cast<std::size_t>(length));
  OPENSSL_free(encoded);
  const std::lock_guard lock(waiting.mutex);
  X509_STORE* store = X509_LOOKUP_get_store(lookup);
  // Issuers repeat a subject byte by byte. Where one does not, only the parsed names are equal.
  return take(waiting, store, name, encoded_name, found) || take(waiting, store, name, "", found)
             ? 1
             : 0;
}

X509_LOOKUP_METHOD* lookup_method() {
  static X509_LOOKUP_METHOD* const method = [] {
    X509_LOOKUP_METHOD* made = X509_LOOKUP_meth_new("certificates parsed when asked for");
    X509_LOOKUP_meth_set_get_by_subject(made, get_by_subject);
    X509_LOOKUP_meth_set_free(made, [](X509_LOOKUP* lookup) {
      delete static_cast<Waiting*>(X509_LOOKUP_get_method_data(lookup));
    });
    return made;
  }();
  return method;
}

}  // namespace

base::Status trust_roots(X509_STORE* store, const std::string& pem_file) {
  auto waiting = std::make_unique<Waiting>();
  if (BIO* file = BIO_new_file(pem_file.c_str(), "r")) {
    char* type = nullptr;
    char* header = nullptr;
    unsigned char* der = nullptr;
    long length = 0;
    while (PEM_read_bio(file, &type, &header, &der, &length) == 1) {
      if (std::string_view(type).ends_with("CERTIFICATE"))
        waiting->certificates.emplace_back(reinterpret_cast<char*>(der),
                                           static_cast<std::size_t>(length));
      OPENSSL_free(type);
      OPENSSL_free(header);
      OPENSSL_free(der);
    }
    BIO_free(file);
  }
  ERR_clear_error();
  if (waiting->certificates.empty())
    return base::permanent("TLS_FAILED", "there are no trusted roots in " + pem_file,
                           "does AWS_CA_BUNDLE name a readable PEM file?");
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, lookup_method());
  if (lookup == nullptr) return base::permanent("TLS_FAILED", "cannot set up trusted roots");
  X509_LOOKUP_set_method_data(lookup, waiting.release());
  return {};
}

}  // namespace imgproc::http
