#pragma once

#include "exchange/proxy/blob_fetch.hpp"
#include "http/message.hpp"

#include <atomic>
#include <cstdint>

namespace entrepot {

// A stretch of a blob that is being fetched, sent from the file that it is written to.
class ArrivingBlob final : public ArrivingBody {
public:
    ArrivingBlob(BlobFetchPtr fetch, std::uint64_t attempt, std::uint64_t first, std::uint64_t length)
        : fetch_{std::move(fetch)}, attempt_{attempt}, first_{first}, length_{length}
    {
    }

    std::uint64_t length() const noexcept override { return length_; }
    Task<Part> part(std::uint64_t offset) override;
    void stop() noexcept override { stopped_ = true; }

private:
    const BlobFetchPtr fetch_;
    const std::uint64_t attempt_;
    const std::uint64_t first_;
    const std::uint64_t length_;
    std::atomic<bool> stopped_{false};
};

}  // namespace entrepot
