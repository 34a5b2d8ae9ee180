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

/// Moves the certificates that contain these bytes into the store.
void load(Waiting& waiting, X509_STORE* store, std::string_view bytes) {
  std::erase_if(waiting.certificates, [&](const std::string& der) {
    if (!der.contains(bytes)) return false;
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    if (X509* certificate = d2i_X509_AUX(nullptr, &at, static_cast<long>(der.size()))) {
      X509_STORE_add_cert(store, certificate);
      X509_free(certificate);
    }
    return true;
  });
  ERR_clear_error();
}

bool find(X509_STORE* store, const X509_NAME* name, X509_OBJECT* found) {
  X509_STORE_lock(store);
  X509_OBJECT* object =
      X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, name);
  X509_STORE_unlock(store);
  if (object == nullptr) return false;
  X509* certificate = X509_OBJECT_get0_X509(object);
  if (X509_OBJECT_set1_X509(found, certificate) != 1) return false;
  // The caller counts its reference itself (X509_LOOKUP_meth_new(3)); the store keeps its own.
  X509_free(certificate);
  return true;
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
  // Another handshake may have loaded it since OpenSSL looked. Issuers repeat a subject byte by
  // byte; where one does not, the parsed names still are equal.
  load(waiting, store, encoded_name);
  if (find(store, name, found)) return 1;
  load(waiting, store, "");
  return find(store, name, found) ? 1 : 0;
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
