#pragma once

#include "swarm/descriptor/image_descriptor.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace entrepot {

// What nodes need to know of an image before its chunks: its descriptor, and the hashes of all chunks, 32 bytes each.
struct ImageBundle {
    ImageDescriptor descriptor;
    std::string hashes;
    std::int64_t repository_id = 0;  // that it was asked of last
};
using ImageBundlePtr = std::shared_ptr<const ImageBundle>;

}  // namespace entrepot
