#pragma once

#include "agent/image_body.hpp"
#include "agent/image_desk.hpp"
#include "http/message.hpp"

namespace entrepot {

// GET and HEAD of blobs: from this node where the puller has a grant, else from the registry. Safe from any loop.
class BlobAnswers {
public:
    // What `sources` holds outlives this.
    explicit BlobAnswers(BlobSources sources) : sources_{sources} {}

    // `request` outlives the coroutine.
    asio::awaitable<Response> answer(const Request& request, PulledBlob blob);

private:
    asio::awaitable<Response> served(const Request& request, ServedImagePtr image, PulledBlob blob);
    asio::awaitable<Response> passed(const Request& request, PulledBlob blob);
    Task<FileRange> whole(const ServedImage& image, std::size_t number, ByteRange stretch);

    BlobSources sources_;
};

}  // namespace entrepot
