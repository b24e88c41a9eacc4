#include "drivers/chunk_files/chunk_files.hpp"

#include "core/log.hpp"
#include "drivers/chunk_files/blob_chunks.hpp"
#include "drivers/chunk_files/chunk_pin_hold.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

const DescribedBlob& ChunkPin::blob() const noexcept
{
    return hold_->blob->blob();
}

const ChunkVerifier& ChunkPin::verifier() const noexcept
{
    return hold_->file->verifier;
}

ChunkSet ChunkPin::here() const
{
    return hold_->blob->here();
}

bool ChunkPin::is_complete() const
{
    return hold_->blob->is_complete();
}

ChunkFiles::ChunkFiles(std::shared_ptr<ChunkHome> home, std::shared_ptr<ChunkBudget> budget, std::size_t most_open)
    : home_{std::move(home)}, budget_{std::move(budget)}, most_open_{most_open}
{
}

ChunkFiles::~ChunkFiles()
{
    if (const auto flushed = flush(); !flushed) {
        log::failure(log::Level::warning, "flush the chunk store at its end", flushed.error());
    }
}

Result<std::unique_ptr<ChunkFiles>> ChunkFiles::open(ChunkFilesOptions options, const Clock& clock)
{
    auto disk = options.disk ? std::move(options.disk) : std::make_shared<ChunkDisk>();
    TRY(auto folder, ChunkFolder::open(options.root, *disk));
    auto budget = std::make_shared<ChunkBudget>(options.budget_bytes, options.high_permille, options.low_permille);
    auto home = std::make_shared<ChunkHome>(
        std::move(folder), std::move(disk), clock, options.read_only_for, options.sync_after_bytes
    );
    std::unique_ptr<ChunkFiles> store{new ChunkFiles{std::move(home), std::move(budget), options.most_open}};
    CHECK(store->load());
    return store;
}

Result<> ChunkFiles::load()
{
    TRY(auto content, home_->folder.scan());
    foreign_ = std::move(content.strange);
    foreign_count_ = content.foreign;
    damaged_count_ = content.damaged;
    for (auto& found : content.blobs) {
        const auto room = chunk_room_for(found.blob);
        budget_->take(room);
        blobs_.emplace(
            found.blob.digest,
            std::make_shared<BlobChunks>(
                home_,
                found.blob,
                std::make_shared<ChunkRoom>(budget_, room),
                BlobChunks::State{found.is_complete, std::move(found.slot), found.last_used}
            )
        );
    }
    if (content.damaged != 0) {
        log::warning("blobs of the chunk store were damaged, and are forgotten", {{"blobs", content.damaged}});
    }
    if (content.foreign != 0) {
        log::warning(
            "files in the chunk store's directory are not its own, and are left alone",
            {{"files", content.foreign}, {"first", foreign_.front()}}
        );
    }
    return evict(take_victims(0, ~std::uint64_t{0}));
}

Result<ChunkPin> ChunkFiles::begin(const DescribedBlob& blob, std::vector<Sha256> hashes)
{
    if (chunk_count(blob.size) > most_listed_chunks) return fail(Errc::size_invalid, "the blob is too large");
    Lock lock{mutex_};
    settled_.wait(lock, [&] { return !busy_.contains(blob.digest); });
    if (const auto known = blobs_.find(blob.digest); known != blobs_.end()) {
        const auto there = known->second;
        if (there->blob() != blob) return fail(Errc::conflict, "the blob is known with other chunks");
        TRY(auto pin, pin_blob(std::move(lock), there));
        // All may be here, and not hashed, since a crash. Where that can't be finished now, a flush does it.
        if (there->wants_flush() && home_->pause.may_write()) {
            const auto finished = there->finish(pin.hold_->file);
            if (!finished && there->is_refuted()) {
                remove_refuted(there);
                return std::unexpected{finished.error()};
            }
        }
        return pin;
    }
    busy_.insert(blob.digest);
    lock.unlock();
    auto made = make(blob, std::move(hashes));
    lock.lock();
    busy_.erase(blob.digest);
    settled_.notify_all();
    if (!made) return std::unexpected{std::move(made).error()};
    blobs_.emplace(blob.digest, *made);
    TRY(auto pin, pin_blob(std::move(lock), *made));
    // An empty one has all its chunks already.
    if (const auto finished = (*made)->finish(pin.hold_->file); !finished) {
        remove_refuted(*made);
        return std::unexpected{finished.error()};
    }
    return pin;
}

Result<ChunkFiles::Blob> ChunkFiles::make(const DescribedBlob& blob, std::vector<Sha256> hashes)
{
    TRY(const auto verifier, ChunkVerifier::of(blob, hashes));
    CHECK(home_->pause.may_write());
    Blob leftover;
    {
        const std::lock_guard guard{mutex_};
        if (const auto node = leftovers_.extract(blob.digest)) leftover = node.mapped();
    }
    if (leftover) {
        if (auto gone = leftover->remove(); !gone) {
            const std::lock_guard guard{mutex_};
            leftovers_.emplace(blob.digest, leftover);
            return std::unexpected{std::move(gone).error()};
        }
        leftover.reset();
    }
    TRY(auto room, make_room(chunk_room_for(blob)));
    const auto chunks = static_cast<std::uint32_t>(chunk_count(blob.size));
    auto made = std::make_shared<BlobChunks>(
        home_,
        blob,
        std::move(room),
        BlobChunks::State{.slot = {.here = ChunkSet{chunks}}, .last_used = home_->clock.now()}
    );
    auto file = made->create(verifier, hashes);
    if (!file) {
        if (!made->remove()) {
            const std::lock_guard guard{mutex_};
            leftovers_.emplace(blob.digest, made);
        }
        return std::unexpected{std::move(file).error()};
    }
    keep_open(*made, *file);
    return made;
}

Result<ChunkPin> ChunkFiles::pin(const Sha256& digest)
{
    Lock lock{mutex_};
    const auto known = blobs_.find(digest);
    if (known == blobs_.end()) return fail(Errc::blob_unknown, "the blob is not in the chunk store");
    const auto blob = known->second;
    return pin_blob(std::move(lock), blob);
}

Result<ChunkPin> ChunkFiles::pin_blob(Lock lock, const Blob& blob)
{
    // Pinned under the mutex, so that nobody evicts it from here on.
    ChunkPin pin{std::make_shared<ChunkPin::Hold>(blob)};
    note_use(blob);
    lock.unlock();
    return open_pinned(std::move(pin));
}

Result<ChunkPin> ChunkFiles::open_pinned(ChunkPin pin)
{
    auto& hold = *pin.hold_;
    auto file = hold.blob->open();
    if (!file) {
        auto error = std::move(file).error();
        if (error.code() == Errc::corrupt && take_out(hold.blob)) {
            log::failure(log::Level::warning, "open a blob of the chunk store, which is forgotten now", error);
            CHECK(remove_files(hold.blob));
        }
        return std::unexpected{std::move(error)};
    }
    hold.file = *std::move(file);
    keep_open(*hold.blob, hold.file);
    return pin;
}

void ChunkFiles::keep_open(const BlobChunks& blob, const OpenBlob& file)
{
    OpenBlob last;  // closed without the mutex
    const std::lock_guard guard{mutex_};
    // What was removed meanwhile would keep its room.
    if (blob.is_removed()) return;
    if (const auto at = std::ranges::find(open_, file); at != open_.end()) {
        open_.splice(open_.begin(), open_, at);
        return;
    }
    open_.push_front(file);
    if (open_.size() <= most_open_) return;
    last = std::move(open_.back());
    open_.pop_back();
}

void ChunkFiles::note_use(const Blob& blob) const
{
    blob->last_used = home_->clock.now();
}

Result<bool> ChunkFiles::write(const ChunkPin& pin, std::uint32_t chunk, std::span<const std::byte> bytes)
{
    const auto& hold = *pin.hold_;
    note_use(hold.blob);
    auto written = hold.blob->write(hold.file, chunk, bytes);
    if (!written) remove_refuted(hold.blob);
    return written;
}

void ChunkFiles::remove_refuted(const Blob& blob)
{
    if (!blob->is_refuted() || !take_out(blob)) return;
    log::warning("the chunks promised for a blob were those of another, and are removed", {{"blob", blob->name()}});
    if (const auto removed = remove_files(blob); !removed) {
        log::failure(log::Level::warning, "remove a blob of the chunk store", removed.error());
    }
}

Result<> ChunkFiles::read(const ChunkPin& pin, ChunkSpan span, std::span<std::byte> into)
{
    note_use(pin.hold_->blob);
    return pin.hold_->blob->read(pin.hold_->file, span, into);
}

Result<ChunkExtent> ChunkFiles::extent(const ChunkPin& pin, ChunkSpan span)
{
    const auto& hold = *pin.hold_;
    note_use(hold.blob);
    CHECK(hold.blob->check(hold.file, span, false));
    const auto offset = span.first * chunk_bytes;
    const auto end = std::min(hold.blob->blob().size, (std::uint64_t{span.first} + span.count) * chunk_bytes);
    ++home_->counters.reads;
    home_->counters.read_bytes += end - offset;
    return ChunkExtent{.pin = pin, .descriptor = hold.file->data.get(), .offset = offset, .length = end - offset};
}

Result<> ChunkFiles::recheck(const ChunkPin& pin, ChunkSpan span)
{
    return pin.hold_->blob->check(pin.hold_->file, span, true);
}

void ChunkFiles::set_other_holders(const Sha256& digest, std::optional<std::uint32_t> others)
{
    const std::lock_guard guard{mutex_};
    if (const auto known = blobs_.find(digest); known != blobs_.end())
        known->second->other_holders = others ? std::int64_t{*others} : -1;
}

}  // namespace entrepot
