#pragma once

#include "exchange/copy/copy_run.hpp"
#include "oci/manifest.hpp"

#include <cstdint>
#include <optional>

namespace entrepot {

// Brings one blob over: links it where the target has it elsewhere, asks whether it is there, sends small ones in one
// step and large ones by chunks, going on where the target stands. Memory is the buffers of the two sites, whatever the
// blob's size. Used once.
class BlobCopier {
public:
    BlobCopier(CopyRun& run, RepositoryName from, RepositoryName into, Descriptor blob)
        : run_{run},
          from_{std::move(from)},
          into_{std::move(into)},
          blob_{std::move(blob)},
          chunk_{run.options().first_chunk}
    {
    }

    // blob_unknown: the source does not hold it; digest_mismatch, size_invalid: what the source sends is not this blob;
    // cancelled; storage_full, quota_exceeded, denied as the target says.
    Task<> operator()();

private:
    Task<> bring();
    Task<> try_once();
    Task<bool> is_there();
    Task<> send_small();
    Task<> send_large();
    Task<CopyUpload> stand();
    Task<> send_chunks(CopyUpload& upload);
    Task<> send_chunk(CopyUpload& upload);
    Task<> open(std::uint64_t offset);
    Task<> skip(std::uint64_t bytes);
    Task<> begin_anew();
    void broke(const Error& failure);
    std::string name() const;

    CopyRun& run_;
    const RepositoryName from_;
    const RepositoryName into_;
    const Descriptor blob_;
    std::uint64_t chunk_;
    std::uint64_t arrived_ = 0;           // as far as the target has ever said
    std::uint64_t sent_ = 0;              // bytes since arrived_
    bool whole_ = false;                  // the target takes no chunks
    bool told_ = false;                   // where it goes on from, in the log
    std::unique_ptr<ByteSource> body_{};  // stands at the upload's offset; null: to be opened
};

}  // namespace entrepot
