#pragma once

#include "core/bell.hpp"
#include "oci/names.hpp"
#include "ports/blob_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace entrepot {

// An upload at the home whose bytes are sent on while they come, as those see it who do so. Each site's sender hands
// over what the site has when there is no more to send; the copy of the blob goes on with it. Safe from any thread.
class RelayedUpload {
public:
    using Time = std::chrono::steady_clock::time_point;
    enum class State : std::uint8_t {
        comes,
        came,    // it is a blob
        failed,  // it won't be one
    };

    RelayedUpload(RepositoryName repository, DigestAlgorithm algorithm, UploadId upload, Time now);

    const RepositoryName& repository() const noexcept { return repository_; }
    DigestAlgorithm algorithm() const noexcept { return algorithm_; }
    const UploadId& upload() const noexcept { return upload_; }

    // More of it has come; there is no more to come.
    void progressed(Time now);
    void end(State how);

    State state() const;
    // Whether more may come: a client who was silent for a minute is not waited for.
    bool comes(Time now) const;
    // Rings when any of that changes.
    Bell& bell() noexcept { return bell_; }

    // From now on there are senders to these sites (ids of endpoints), each of which hands over once. False: it has
    // ended, and there are none.
    bool begin(const std::vector<std::int64_t>& sites);
    // `place`: the site's upload; empty: there is none. Only the first counts.
    void hand_over(std::int64_t site, std::string place);
    // Waits for that, at once where nobody sends to the site. Who asks first gets it, others nothing.
    asio::awaitable<std::string> taken(std::int64_t site);

private:
    struct Sent {
        bool handed_over = false;
        std::string place;
    };

    const RepositoryName repository_;
    const DigestAlgorithm algorithm_;
    const UploadId upload_;
    Bell bell_;
    mutable std::mutex mutex_;
    State state_ = State::comes;
    Time progressed_at_;
    std::map<std::int64_t, Sent> sent_;
};
using RelayedUploadPtr = std::shared_ptr<RelayedUpload>;

}  // namespace entrepot
