#include "drivers/filesystem/journal.hpp"

#include "core/bytes.hpp"
#include "core/log.hpp"
#include "drivers/filesystem/journal_format.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace entrepot {
namespace {

constexpr std::array<const char*, 2> segment_names{"journal-0", "journal-1"};
// One group's bytes at most: what a device takes about as fast as a single block.
constexpr std::size_t largest_group = 1 << 20;

Result<> sync_everything(const BlobTree& tree)
{
    if (::syncfs(tree.root()) != 0) return system_failure("syncfs");
    return {};
}

// Makes the segment's first entry unreadable, and so the segment empty. Not synced: read again it does no harm.
Result<> empty(int segment)
{
    constexpr std::array<std::byte, journal_header_size> zeros{};
    return write_all(segment, zeros, 0);
}

Result<std::string> read_segment(int slot, const char* name)
{
    const FileDescriptor file{::openat(slot, name, O_RDONLY | O_CLOEXEC)};
    if (!file && errno == ENOENT) return std::string{};
    if (!file) return system_failure("open a journal");
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return system_failure("fstat a journal");
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    TRY(const auto count, read_some(file.get(), std::as_writable_bytes(std::span{bytes}), 0));
    bytes.resize(count);
    return bytes;
}

bool is_stored(const BlobTree& tree, const JournalEntry& entry)
{
    if (!tree.holds(entry.digest, entry.bytes.size())) return false;
    const auto file = tree.open_blob(entry.digest);
    if (!file) return false;
    std::string bytes(entry.bytes.size(), '\0');
    const auto count = read_some(file->get(), std::as_writable_bytes(std::span{bytes}), 0);
    return count && *count == bytes.size() && bytes == entry.bytes;
}

// Those of the blobs that had to be written again.
Result<> restore(BlobTree& tree, const std::vector<JournalEntry>& entries, std::vector<StoredBlob>& restored)
{
    for (const auto& entry : entries) {
        // A group whose sync never ended may be torn anywhere; none of it was acknowledged.
        if (digest_of(entry.bytes, entry.digest.algorithm()) != entry.digest) continue;
        if (is_stored(tree, entry)) continue;
        TRY(const auto temporary, tree.write_temporary(as_bytes(entry.bytes)));
        CHECK(tree.publish_temporary(temporary, entry.digest));
        restored.push_back({entry.digest, entry.bytes.size()});
    }
    return {};
}

// A file of zeros, so that later writes change no metadata and their sync is one write and one flush.
Result<FileDescriptor> open_segment(int slot, const char* name, std::size_t size)
{
    FileDescriptor file{::openat(slot, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!file) return system_failure("create a journal");
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return system_failure("fstat a journal");
    if (static_cast<std::size_t>(status.st_size) == size) return file;
    if (::ftruncate(file.get(), 0) != 0) return system_failure("truncate a journal");
    const std::vector<std::byte> zeros(std::min<std::size_t>(size, 1 << 18));
    for (std::size_t at = 0; at < size; at += zeros.size()) {
        const auto count = std::min(zeros.size(), size - at);
        if (auto written = write_all(file.get(), std::span{zeros}.first(count), at); !written) {
            // Half a journal is of no use, and the disk is full enough.
            ::unlinkat(slot, name, 0);
            return std::unexpected{std::move(written).error()};
        }
    }
    CHECK(sync_data(file.get()));
    return file;
}

}  // namespace

Result<std::vector<StoredBlob>> Journal::replay(BlobTree& tree, int slot)
{
    std::size_t found = 0;
    std::vector<StoredBlob> restored;
    for (const auto* name : segment_names) {
        TRY(const auto segment, read_segment(slot, name));
        const auto entries = entries_of(segment);
        found += entries.size();
        CHECK(restore(tree, entries, restored));
    }
    if (found == 0) return restored;
    log::info("replayed the blobs' journal", {{"entries", found}, {"written_again", restored.size()}});
    // Also where nothing was missing: the files may be in the page cache alone.
    CHECK(sync_everything(tree));
    for (const auto* name : segment_names) {
        const FileDescriptor file{::openat(slot, name, O_RDWR | O_CLOEXEC)};
        if (!file && errno == ENOENT) continue;
        if (!file) return system_failure("open a journal");
        CHECK(empty(file.get()));
    }
    return restored;
}

Result<std::unique_ptr<Journal>> Journal::open(BlobTree& tree, std::size_t bytes)
{
    const auto size = bytes / segment_names.size();
    TRY(auto first, open_segment(tree.slot(), segment_names[0], size));
    TRY(auto second, open_segment(tree.slot(), segment_names[1], size));
    CHECK(sync_directory(tree.slot(), "."));
    return std::unique_ptr<Journal>{new Journal{tree, size, {std::move(first), std::move(second)}}};
}

Journal::Journal(BlobTree& tree, std::size_t segment_size, std::array<FileDescriptor, 2> files)
    : tree_{tree}, segment_size_{segment_size}
{
    for (std::size_t index = 0; index < files.size(); ++index) segments_[index].file = std::move(files[index]);
    segments_[0].use = Use::filling;
    writing_ = std::thread{[this] { write_groups(); }};
    recycling_ = std::thread{[this] { recycle_segments(); }};
}

Journal::~Journal()
{
    stop();
}

void Journal::append(Digest digest, std::shared_ptr<const std::string> bytes, Synced synced)
{
    const Guard guard{mutex_};
    pending_.push_back({std::move(digest), std::move(bytes), std::move(synced)});
    changed_.notify_all();
}

bool Journal::working() const
{
    const Guard guard{mutex_};
    return working_;
}

void Journal::write_groups()
{
    for (;;) {
        Guard guard{mutex_};
        changed_.wait(guard, [this] { return !pending_.empty() || stopping_; });
        if (pending_.empty()) return;
        auto group = next_group(guard);
        guard.unlock();
        commit(std::move(group));
    }
}

// As many of the first that wait as fit into the segment and one group; waits for a segment where none fits.
std::vector<Journal::Pending> Journal::next_group(Guard& guard)
{
    std::vector<Pending> group;
    std::size_t size = 0;
    while (!pending_.empty()) {
        const auto next = journal_header_size + pending_.front().bytes->size();
        if (!group.empty() && (size + next > largest_group || position_ + size + next > segment_size_)) break;
        if (group.empty() && !make_room(guard, next)) break;
        size += next;
        group.push_back(std::move(pending_.front()));
        pending_.pop_front();
    }
    if (group.empty()) {
        // Nothing can be written any more: all that wait are told so.
        std::ranges::move(pending_, std::back_inserter(group));
        pending_.clear();
    }
    return group;
}

bool Journal::make_room(Guard& guard, std::size_t size)
{
    if (position_ + size <= segment_size_) return working_;
    segments_[current_].use = Use::full;
    current_ = 1 - current_;
    changed_.notify_all();
    changed_.wait(guard, [this] { return segments_[current_].use == Use::free || !working_; });
    segments_[current_].use = Use::filling;
    position_ = 0;
    ++epoch_;
    return working_;
}

void Journal::commit(std::vector<Pending> group)
{
    auto& segment = segments_[current_];
    group_bytes_.clear();
    for (const auto& entry : group) append_entry(group_bytes_, epoch_, entry.digest, *entry.bytes);
    auto synced = working() ? Result<>{} : system_failure("write to a journal that failed before", EIO);
    if (synced) synced = write_all(segment.file.get(), as_bytes(group_bytes_), position_);
    if (synced) synced = sync_data(segment.file.get());
    if (!synced) {
        give_up(synced.error());
        for (auto& entry : group) entry.synced(std::unexpected{synced.error()});
        return;
    }
    position_ += group_bytes_.size();
    for (auto& entry : group) entry.synced(hold(segment));
}

Journal::Hold Journal::hold(Segment& segment)
{
    const Guard guard{mutex_};
    ++segment.holds;
    return {&segment, [this](Segment* held) {
                const Guard again{mutex_};
                if (--held->holds == 0) changed_.notify_all();
            }};
}

void Journal::recycle_segments()
{
    const auto is_due = [](const Segment& segment) { return segment.use == Use::full && segment.holds == 0; };
    for (;;) {
        Guard guard{mutex_};
        changed_.wait(guard, [&] { return stopping_ || (working_ && std::ranges::any_of(segments_, is_due)); });
        if (stopping_) return;
        auto& segment = *std::ranges::find_if(segments_, is_due);
        guard.unlock();
        if (const auto recycled = recycle(segment); !recycled) give_up(recycled.error());
    }
}

// Requires that every blob of the segment has its file.
Result<> Journal::recycle(Segment& segment)
{
    CHECK(sync_everything(tree_));
    CHECK(empty(segment.file.get()));
    const Guard guard{mutex_};
    segment.use = Use::free;
    changed_.notify_all();
    return {};
}

void Journal::give_up(const Error& error)
{
    const Guard guard{mutex_};
    if (!working_) return;
    working_ = false;
    log::failure(log::Level::error, "writing the blobs' journal", error);
    changed_.notify_all();
}

void Journal::stop()
{
    if (!writing_.joinable()) return;
    {
        const Guard guard{mutex_};
        stopping_ = true;
        changed_.notify_all();
    }
    writing_.join();
    recycling_.join();
    const bool is_empty = epoch_ == 1 && position_ == 0;
    if (!working() || is_empty) return;
    auto stopped = sync_everything(tree_);
    for (const auto& segment : segments_) {
        if (stopped) stopped = empty(segment.file.get());
    }
    if (!stopped) give_up(stopped.error());
}

}  // namespace entrepot
