#include "ports/record_store.h"

namespace imgproc::ports {

base::Result<Replacement> RecordStore::replace_if_not_older(const Record& record) {
  Replacement replacement;
  IMGPROC_TRY(replacement.before, get(record.path));
  IMGPROC_TRY(replacement.outcome, put_if_not_older(record));
  return replacement;
}

}  // namespace imgproc::ports
