#pragma once

#include "exchange/copy/copy_run.hpp"
#include "exchange/synchronous/relayed_upload.hpp"
#include "ports/upload_view.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <string>

namespace entrepot {

// Sends to one site what comes of an upload, in pieces as large as what has come since the last one. It reads what is
// written and never holds the upload up. Memory is the buffers of one request. Used once, on the run's executor.
class UploadRelay {
public:
    // In bytes: a request costs the link a round trip in which it carries nothing.
    static constexpr std::uint64_t shortest_piece = 1ULL << 20U;

    UploadRelay(CopyRun& run, RepositoryName into, RelayedUpload& relayed, UploadView& view, asio::thread_pool& reading)
        : run_{run}, into_{std::move(into)}, relayed_{relayed}, view_{view}, reading_{reading}
    {
    }

    // Until it has ended, nothing came for a while, or sending failed for good. The site's upload, if that is of use to
    // the copy of the blob.
    Task<std::string> operator()();
    // Ends the site's upload where that is of no use.
    Task<> end();

private:
    Task<> send();
    Task<> send_piece(std::uint64_t length);
    Task<> find_again();
    asio::awaitable<std::uint64_t> next_piece();

    CopyRun& run_;
    const RepositoryName into_;
    RelayedUpload& relayed_;
    UploadView& view_;
    asio::thread_pool& reading_;
    CopyUpload upload_;
    bool astray_ = false;  // how far the upload is has to be asked
    bool handed_over_ = false;
};

}  // namespace entrepot
