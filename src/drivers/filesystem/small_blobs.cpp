#include "drivers/filesystem/small_blobs.hpp"

#include "core/bytes.hpp"
#include "core/log.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <utility>

#include <sys/statvfs.h>

namespace entrepot {
namespace {

// A journal takes no more than this part of a file system, and must hold a few of the largest blobs.
constexpr std::size_t part_of_disk = 32;
constexpr std::size_t smallest_journal = 512 * 1024;

std::size_t journal_size(const BlobTree& tree, std::size_t wanted)
{
    struct statvfs status{};
    if (::fstatvfs(tree.root(), &status) != 0) return 0;
    const auto disk = static_cast<std::size_t>(status.f_blocks) * static_cast<std::size_t>(status.f_frsize);
    const auto size = std::min(wanted, disk / part_of_disk);
    return size < smallest_journal ? 0 : size;
}

// Nothing where journals can't be used: what they hold is then kept for the next start.
std::unique_ptr<Journal> open_journal(BlobTree& tree, std::size_t bytes, std::vector<StoredBlob>& restored)
{
    for (const auto& slot : tree.abandoned()) {
        if (auto replayed = Journal::replay(tree, slot.directory.get()); replayed) {
            std::ranges::move(*replayed, std::back_inserter(restored));
        } else {
            log::failure(log::Level::warning, "replaying the journal of a process that ended", replayed.error());
        }
    }
    tree.release_abandoned();
    auto replayed = Journal::replay(tree, tree.slot());
    if (!replayed) {
        log::failure(log::Level::warning, "replaying the blobs' journal; working without one", replayed.error());
        return nullptr;
    }
    std::ranges::move(*replayed, std::back_inserter(restored));
    const auto size = journal_size(tree, bytes);
    if (size == 0) return nullptr;
    auto journal = Journal::open(tree, size);
    if (!journal) {
        log::failure(log::Level::warning, "creating the blobs' journal; working without one", journal.error());
        return nullptr;
    }
    return *std::move(journal);
}

}  // namespace

Result<> write_durably(BlobTree& tree, const Digest& digest, std::string_view bytes)
{
    TRY(const auto temporary, tree.write_temporary(as_bytes(bytes)));
    if (auto synced = sync_data(temporary.file.get()); !synced) {
        tree.remove_temporary(temporary);
        return synced;
    }
    CHECK(tree.publish_temporary(temporary, digest));
    return tree.sync_name(digest);
}

// A blob on its way. The guard keeps the pool waiting for it while only the journal knows of it.
struct SmallBlobs::Put {
    Digest digest;
    std::shared_ptr<const std::string> bytes;
    Completion<void> completion;
    asio::executor_work_guard<asio::thread_pool::executor_type> under_way;
    BlobTree::Temporary temporary{};
};

SmallBlobs::SmallBlobs(
    BlobTree& tree, BlobCache& cache, asio::thread_pool& working, asio::thread_pool& syncing, std::size_t journal_bytes
)
    : tree_{tree},
      cache_{cache},
      working_{working},
      syncing_{syncing},
      journal_{open_journal(tree, journal_bytes, restored_)}
{
}

SmallBlobs::~SmallBlobs() = default;

void SmallBlobs::stop()
{
    if (journal_) journal_->stop();
}

Task<> SmallBlobs::put(Digest digest, std::string bytes)
{
    auto shared = std::make_shared<const std::string>(std::move(bytes));
    if (!journal_ || !journal_->working()) {
        auto write = [this, digest, shared] { return write_durably(tree_, digest, *shared); };
        CO_CHECK(co_await offload(syncing_, std::move(write)));
    } else {
        auto start = [this, digest, shared](Completion<void> completion) {
            auto put = std::make_unique<Put>(digest, shared, std::move(completion), asio::make_work_guard(working_));
            asio::post(working_, [this, put = std::move(put)]() mutable { write_file(std::move(put)); });
        };
        CO_CHECK(co_await completed_by<void>(std::move(start)));
    }
    const auto size = shared->size();
    cache_.keep(digest, {size, std::move(shared), nullptr});
    co_return Result<>{};
}

// The file comes before the journal's entry: a full disk shows here, and what does not fit is never journaled.
void SmallBlobs::write_file(std::unique_ptr<Put> put)
{
    auto temporary = tree_.write_temporary(as_bytes(*put->bytes));
    if (!temporary) return put->completion.complete(std::unexpected{std::move(temporary).error()});
    put->temporary = *std::move(temporary);
    put->temporary.file.reset();
    auto digest = put->digest;
    auto bytes = put->bytes;
    journal_->append(
        std::move(digest),
        std::move(bytes),
        [this, put = std::move(put)](Result<Journal::Hold> synced) mutable {
            asio::post(working_, [this, put = std::move(put), synced = std::move(synced)]() mutable {
                publish(std::move(put), std::move(synced));
            });
        }
    );
}

// The name comes after the journal's sync: a blob that can be seen is durable.
void SmallBlobs::publish(std::unique_ptr<Put> put, Result<Journal::Hold> synced)
{
    if (!synced) {
        tree_.remove_temporary(put->temporary);
        return put->completion.complete(std::unexpected{std::move(synced).error()});
    }
    put->completion.complete(tree_.publish_temporary(put->temporary, put->digest));
}

}  // namespace entrepot
