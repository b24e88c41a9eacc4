#pragma once

#include "delivery/image_bundle.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace entrepot {

// Bundles as they are sent. While a body is on its way to one node, the others get the same bytes: thousands may ask
// for an image at once. Keeps none that nobody is sent. Safe from any thread.
class BundleBodies {
public:
    std::shared_ptr<const std::string> of(const ImageBundle& bundle);

private:
    std::mutex mutex_;
    std::map<SwarmId, std::weak_ptr<const std::string>> sent_;
};

}  // namespace entrepot
