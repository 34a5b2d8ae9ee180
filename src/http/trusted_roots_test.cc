#include "http/trusted_roots.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "base/random.h"

namespace imgproc::http {
namespace {

template <auto Free>
struct Freeing {
  template <class Thing>
  void operator()(Thing* thing) const {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Store = std::unique_ptr<X509_STORE, Freeing<X509_STORE_free>>;
using Verification = std::unique_ptr<X509_STORE_CTX, Freeing<X509_STORE_CTX_free>>;

/// The names are those of `string_type` (MBSTRING_ASC: printable, V_ASN1_UTF8STRING ...).
Certificate certify(const char* subject, EVP_PKEY* key, const char* issuer, EVP_PKEY* issuer_key,
                    int string_type = MBSTRING_ASC) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  const auto name = [&](X509_NAME* target, const char* text) {
    X509_NAME_add_entry_by_txt(target, "CN", string_type,
                               reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  name(X509_get_subject_name(certificate.get()), subject);
  name(X509_get_issuer_name(certificate.get()), issuer);
  if (std::string_view(subject) == issuer) {
    X509_EXTENSION* authority =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(certificate.get(), authority, -1);
    X509_EXTENSION_free(authority);
  }
  X509_sign(certificate.get(), issuer_key, EVP_sha256());
  return certificate;
}

class TrustedRootsTest : public testing::Test {
 protected:
  /// A bundle of roots, of which "root 1" has signed the leaf.
  void SetUp() override {
    BIO* bundle = BIO_new_file(path_.c_str(), "w");
    for (int i = 0; i < 5; ++i) {
      keys_.emplace_back(EVP_EC_gen("P-256"));
      const std::string name = "root " + std::to_string(i);
      PEM_write_bio_X509(bundle,
                         certify(name.c_str(), keys_[i].get(), name.c_str(), keys_[i].get()).get());
    }
    BIO_free(bundle);
  }

  [[nodiscard]] Store store() const {
    Store made(X509_STORE_new());
    const auto trusted = trust_roots(made.get(), path_);
    EXPECT_TRUE(trusted) << trusted.error().describe();
    return made;
  }

  static bool verifies(const Store& store, const Certificate& certificate) {
    Verification verification(X509_STORE_CTX_new());
    X509_STORE_CTX_init(verification.get(), store.get(), certificate.get(), nullptr);
    return X509_verify_cert(verification.get()) == 1;
  }

  void TearDown() override { std::filesystem::remove(path_); }

  std::string path_ =
      std::filesystem::temp_directory_path() / ("imgproc-roots-" + base::random_hex(8) + ".pem");
  std::vector<Key> keys_;
};

TEST_F(TrustedRootsTest, WhatARootHasSignedIsTrustedAndNothingElse) {
  const Store trusted = store();
  const Certificate good = certify("leaf", keys_[0].get(), "root 1", keys_[1].get());
  const Certificate forged = certify("leaf", keys_[0].get(), "root 1", keys_[2].get());
  const Certificate foreign = certify("leaf", keys_[0].get(), "root 9", keys_[1].get());
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(verifies(trusted, good));
    EXPECT_FALSE(verifies(trusted, forged));
    EXPECT_FALSE(verifies(trusted, foreign));
  }
  EXPECT_TRUE(verifies(trusted, certify("leaf", keys_[0].get(), "root 3", keys_[3].get())));
}

TEST_F(TrustedRootsTest, NamesThatAreEncodedOtherwiseAreTheSame) {
  EXPECT_TRUE(verifies(
      store(), certify("leaf", keys_[0].get(), "ROOT 1", keys_[1].get(), V_ASN1_UTF8STRING)));
}

TEST_F(TrustedRootsTest, HandshakesAtOnceFindTheSameRoot) {
  const Certificate leaf = certify("leaf", keys_[0].get(), "root 1", keys_[1].get());
  for (int round = 0; round < 50; ++round) {
    const Store trusted = store();
    std::latch begin(4);
    std::atomic<int> verified = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
          begin.arrive_and_wait();
          verified += verifies(trusted, leaf) ? 1 : 0;
        });
    }
    ASSERT_EQ(verified, 4);
  }
}

TEST_F(TrustedRootsTest, AFileWithoutCertificatesIsRefused) {
  Store empty(X509_STORE_new());
  EXPECT_EQ(trust_roots(empty.get(), path_ + "none").error().code, "TLS_FAILED");
  EXPECT_EQ(trust_roots(empty.get(), "/dev/null").error().code, "TLS_FAILED");
}

}  // namespace
}  // namespace imgproc::http
