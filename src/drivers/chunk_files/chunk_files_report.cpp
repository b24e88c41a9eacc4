// What the store says of itself.
#include "drivers/chunk_files/blob_chunks.hpp"
#include "drivers/chunk_files/chunk_files.hpp"

namespace entrepot {

std::vector<ChunkFilesEntry> ChunkFiles::blobs() const
{
    const std::lock_guard guard{mutex_};
    std::vector<ChunkFilesEntry> entries;
    entries.reserve(blobs_.size());
    for (const auto& [digest, blob] : blobs_) {
        entries.push_back(
            {.blob = blob->blob(),
             .chunks_here = blob->here().count(),
             .is_complete = blob->is_complete(),
             .is_pinned = blob->pins != 0,
             .last_used = blob->last_used}
        );
    }
    return entries;
}

ChunkFilesStatistics ChunkFiles::statistics() const
{
    const auto& counters = home_->counters;
    ChunkFilesStatistics now{
        .budget_bytes = budget_->bytes(),
        .taken_bytes = budget_->taken(),
        .is_read_only = !home_->pause.may_write(),
        .evictions = counters.evictions,
        .evicted_bytes = counters.evicted_bytes,
        .corrupt_chunks = counters.corrupt_chunks,
        .reads = counters.reads,
        .read_bytes = counters.read_bytes,
        .writes = counters.writes,
        .written_bytes = counters.written_bytes,
        .damaged_blobs = damaged_count_,
        .foreign_files = foreign_count_,
    };
    const std::lock_guard guard{mutex_};
    now.blobs = blobs_.size();
    for (const auto& [digest, blob] : blobs_) {
        now.used_bytes += blob->room() - blob->missing();
        now.chunks += blob->here().count();
        now.complete_blobs += blob->is_complete() ? 1 : 0;
        now.pinned_blobs += blob->pins != 0 ? 1 : 0;
    }
    return now;
}

}  // namespace entrepot
