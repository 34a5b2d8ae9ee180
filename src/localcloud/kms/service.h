#pragma once
// KMS as far as Terraform plans need it: keys, aliases, rotation, policies, tags. Nothing is really
// encrypted here, and Encrypt, Decrypt and GenerateDataKey say NotImplemented.

#include <boost/json.hpp>
#include <memory>

#include "localcloud/context.h"
#include "localcloud/rpc/rpc.h"
#include "localcloud/store/documents.h"

namespace imgproc::localcloud::kms {

class KmsService {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<KmsService>> create(Context& context);
  [[nodiscard]] http::Response handle(const Caller& caller, http::Request request);

 private:
  using Output = base::Result<boost::json::object>;
  KmsService(Context& context, Documents documents);
  void register_operations();

  Output create_key(const rpc::Call& call);
  Output describe_key(const rpc::Call& call);
  Output schedule_key_deletion(const rpc::Call& call);
  Output get_key_policy(const rpc::Call& call);
  Output put_key_policy(const rpc::Call& call);
  Output get_key_rotation_status(const rpc::Call& call);
  Output set_rotation(const rpc::Call& call, bool enabled);
  Output list_resource_tags(const rpc::Call& call);
  Output tag_resource(const rpc::Call& call);
  Output untag_resource(const rpc::Call& call);
  Output create_alias(const rpc::Call& call);
  Output delete_alias(const rpc::Call& call);
  Output list_aliases(const rpc::Call& call);

  /// The key that an id, ARN, alias or alias ARN names. AWS's own aliases always exist.
  struct Key {
    std::string id;
    boost::json::object document;
  };
  base::Result<Key> find_key(const rpc::Call& call, std::string_view member = "KeyId");
  base::Result<boost::json::object> make_key(const rpc::Call& call, const std::string& id,
                                             bool aws_managed);

  Context& context_;
  Documents documents_;
  rpc::ServiceDescription description_;
};

}  // namespace imgproc::localcloud::kms
