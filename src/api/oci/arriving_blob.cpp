#include "api/oci/arriving_blob.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::chrono::seconds between_looks{1};  // whether anybody is still there

}  // namespace

Task<ArrivingBody::Part> ArrivingBlob::part(std::uint64_t offset)
{
    const auto at = first_ + offset;
    auto until = at;
    while (until == at) {
        if (stopped_) co_return fail(Errc::cancelled, "nobody is there any more");
        CO_TRY(until, co_await fetch_->beyond(at, attempt_, between_looks));
    }
    const auto length = std::min(until - at, length_ - offset);
    CO_TRY(auto part, fetch_->part(at, length));
    if (part.file) co_return FileRange{.file = std::move(part.file), .offset = at, .length = length};
    co_return MemoryRange{.bytes = std::move(part.bytes), .offset = 0, .length = static_cast<std::size_t>(length)};
}

}  // namespace entrepot
