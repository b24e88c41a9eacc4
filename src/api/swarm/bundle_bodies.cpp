#include "api/swarm/bundle_bodies.hpp"

#include <cstdint>
#include <utility>

namespace entrepot {

std::shared_ptr<const std::string> BundleBodies::of(const ImageBundle& bundle)
{
    const std::lock_guard guard{mutex_};
    if (const auto found = sent_.find(bundle.descriptor.id()); found != sent_.end()) {
        if (auto body = found->second.lock()) return body;
    }
    const auto& descriptor = bundle.descriptor.bytes();
    auto body = std::make_shared<std::string>();
    body->reserve(4 + descriptor.size() + bundle.hashes.size());
    for (unsigned shift = 0; shift < 32; shift += 8) body->push_back(static_cast<char>(descriptor.size() >> shift));
    *body += descriptor;
    *body += bundle.hashes;
    std::erase_if(sent_, [](const auto& entry) { return entry.second.expired(); });
    sent_.insert_or_assign(bundle.descriptor.id(), body);
    return body;
}

}  // namespace entrepot
