#pragma once

#include "ports/upload_view.hpp"

#include <memory>

namespace entrepot {

// The file of an upload below the directory `uploads`, opened for reading: by its descriptor it stays what it is when
// it is renamed or removed. upload_unknown, unavailable. Blocks.
Result<std::shared_ptr<UploadView>> view_upload(int uploads, const UploadId& id);

}  // namespace entrepot
