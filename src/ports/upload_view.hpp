#pragma once

#include "core/bytes.hpp"
#include "core/task.hpp"
#include "ports/blob_store.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace entrepot {

// Bytes of an upload that are written already, ready to be sent.
struct UploadPart {
    std::shared_ptr<const std::string> bytes;  // either these: the part itself,
    std::shared_ptr<const OpenFile> file;      // or this, which holds the part at the upload's own offsets
};

// An upload while somebody writes it, for those who can't wait until it is a blob. Nobody has verified what it holds.
// Goes on to be readable when the upload has become a blob or was dropped. Safe from any thread; never blocks for long.
class UploadView {
public:
    virtual ~UploadView() = default;
    // How many bytes are there from the start on. Grows, but for a writer that resumes the upload further back.
    virtual std::uint64_t written() const noexcept = 0;
    // range_invalid where not all of it is written.
    virtual Result<UploadPart> part(std::uint64_t offset, std::uint64_t length) = 0;
};

class UploadViews {
public:
    virtual ~UploadViews() = default;
    // Also of an upload that another process writes into the same store. upload_unknown, unavailable.
    virtual Task<std::shared_ptr<UploadView>> view(UploadId id) = 0;
};

}  // namespace entrepot
