#include "upkeep/index/index_writer.hpp"

#include "core/log.hpp"
#include "upkeep/backup/kept_backups.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t events_at_once = 200;
constexpr std::int64_t looked_at_once = 1'000;
constexpr std::uint64_t full_segment = 16U << 20U;
// Where nothing changes, so that little is read again after a start.
constexpr auto longest_unwritten = 60s;
constexpr std::int64_t most_unwritten = 20'000;
constexpr auto between_tidying = 5s;

}  // namespace

Task<> IndexWriter::run()
{
    const auto done = co_await step();
    if (done) {
        if (std::exchange(told_, false)) log::info("the index beside the blobs is written again");
        co_return Result<>{};
    }
    errors_.fetch_add(1, std::memory_order_relaxed);
    // Once a second it would fill the disk that may be full.
    if (!std::exchange(told_, true)) log::failure(log::Level::warning, "the index beside the blobs", done.error());
    co_return Result<>{};
}

Task<> IndexWriter::step()
{
    if (!is_writer_) {
        CO_TRY(const bool held, co_await offload(parts_.pool, [files = &parts_.files] { return files->hold(); }));
        if (!held) co_return Result<>{};
        is_writer_ = true;
    }
    if (!is_open_) CO_CHECK(co_await open());
    for (bool more = true; more;) {
        CO_TRY(more, co_await follow());
    }
    if (parts_.clock.steady() - tidied_at_ >= between_tidying) CO_CHECK(co_await tidy());
    co_return Result<>{};
}

// The last segment that can be read says where it stands, each begins with that.
Result<IndexWriter::Found> IndexWriter::find_position(IndexFiles& files)
{
    TRY(const auto segments, files.segments());
    Found found;
    for (const auto segment : segments) {
        TRY(const auto bytes, files.read(segment));
        IndexReader reader{bytes};
        std::size_t count = 0;
        for (auto record = reader.next(); record; record = reader.next()) {
            ++count;
            const bool begins = record->kind == IndexRecord::Kind::segment;
            if (begins && !record->flag) found.marked = segment;
            // Another record's event may have more of them.
            if (begins || record->kind == IndexRecord::Kind::position)
                found.position = Position{record->sequence, record->at};
        }
        found.segment = segment;
        found.is_empty = count <= 1 && found.marked != segment;
        found.is_damaged = found.is_damaged || reader.damaged() > 0 || (count == 0 && !bytes.empty());
    }
    return found;
}

Task<> IndexWriter::open()
{
    CO_TRY(const auto found, co_await offload(parts_.pool, [files = &parts_.files] { return find_position(*files); }));
    CO_TRY(const auto range, co_await parts_.log.settle());
    auto from = found.position.value_or(Position{});
    CO_TRY(const bool continues, co_await goes_on(from, range));
    if (!continues) {
        CO_TRY(from, co_await newest_event());
        gaps_.fetch_add(1, std::memory_order_relaxed);
    }
    // One that a start has made and that nothing was written to is made anew.
    segment_ = found.is_empty && continues ? found.segment - 1 : found.segment;
    CO_CHECK(co_await begin_segment(continues, from));
    wanted_segment_ = found.marked;
    if (!continues || found.is_damaged) want_snapshot();
    if (found.is_damaged) log::warning("the index beside the blobs is damaged: it is made anew by a snapshot");
    is_open_ = true;
    co_return Result<>{};
}

Task<IndexWriter::Position> IndexWriter::newest_event()
{
    CO_TRY(const auto range, co_await parts_.log.settle());
    if (range.newest <= 0) co_return Position{};
    CO_TRY(const auto events, co_await parts_.log.read(range.newest - 1, 1));
    if (events.empty()) co_return Position{range.newest, 0};
    co_return Position{events.front().sequence, events.front().at};
}

// Whether the log still has the event that was read last, and thereby all after it: a database that was brought back
// gives the same numbers to other events.
Task<bool> IndexWriter::goes_on(Position position, EventRange range)
{
    if (position.sequence == 0) co_return range.oldest <= 1;
    if (position.sequence < 0 || position.sequence > range.newest || position.sequence < range.oldest) co_return false;
    CO_TRY(const auto events, co_await parts_.log.read(position.sequence - 1, 1));
    co_return !events.empty() && events.front().sequence == position.sequence && events.front().at == position.at;
}

Task<> IndexWriter::begin_segment(bool goes_on, Position from)
{
    const auto bytes = std::make_shared<std::string>();
    append_record(
        *bytes, {.kind = IndexRecord::Kind::segment, .sequence = from.sequence, .at = from.at, .flag = goes_on}
    );
    const auto next = segment_ + 1;
    CO_CHECK(co_await offload(parts_.pool, [files = &parts_.files, bytes, next] { return files->begin(next, *bytes); })
    );
    segment_ = next;
    position_ = from;
    written_ = from.sequence;
    written_at_ = parts_.clock.steady();
    if (goes_on) co_return Result<>{};
    renames_.clear();
    seen_ = from.sequence;
    co_return Result<>{};
}

void IndexWriter::want_snapshot()
{
    wanted_segment_ = segment_;
    wants_snapshot_ = true;
}

// What the events up to `newest` have renamed.
Task<> IndexWriter::look_ahead(std::int64_t newest)
{
    seen_ = std::max(seen_, position_.sequence);
    while (seen_ < newest) {
        CO_TRY(const auto events, co_await parts_.log.read(seen_, looked_at_once));
        if (events.empty()) break;
        for (const auto& event : events) {
            if (auto rename = IndexChanges::rename_of(event)) renames_.push_back(*std::move(rename));
        }
        seen_ = events.back().sequence;
    }
    co_return Result<>{};
}

Task<bool> IndexWriter::follow()
{
    CO_TRY(const auto range, co_await parts_.log.settle());
    lag_ = std::max<std::int64_t>(range.newest - position_.sequence, 0);
    if (range.newest == position_.sequence) co_return false;
    CO_CHECK(co_await look_ahead(range.newest));
    CO_TRY(auto events, co_await parts_.log.read(position_.sequence, events_at_once));
    if (!events.empty() && events.front().sequence != position_.sequence + 1) {
        log::warning("events were removed before the index beside the blobs has them: a snapshot makes up for it");
        gaps_.fetch_add(1, std::memory_order_relaxed);
        CO_TRY(const auto newest, co_await newest_event());
        CO_CHECK(co_await begin_segment(false, newest));
        want_snapshot();
        co_return true;
    }
    std::erase_if(events, [this](const Event& event) { return event.sequence > seen_; });
    if (events.empty()) co_return false;
    CO_TRY(auto records, co_await changes_.of(events, renames_));
    // What was renamed while it was looked up was looked for under the name of before.
    const auto known = renames_.size();
    CO_TRY(const auto after, co_await parts_.log.settle());
    CO_CHECK(co_await look_ahead(after.newest));
    if (renames_.size() != known) co_return true;
    const auto& last = events.at(records.taken - 1);
    CO_CHECK(co_await write(std::move(records.bytes), {last.sequence, last.at}));
    lag_ = std::max<std::int64_t>(after.newest - position_.sequence, 0);
    co_return true;
}

Task<> IndexWriter::write(std::string bytes, Position to)
{
    const bool due =
        to.sequence - written_ >= most_unwritten || parts_.clock.steady() - written_at_ >= longest_unwritten;
    if (!bytes.empty() || due) {
        append_record(bytes, {.kind = IndexRecord::Kind::position, .sequence = to.sequence, .at = to.at});
        const auto shared = std::make_shared<const std::string>(std::move(bytes));
        CO_CHECK(co_await offload(parts_.pool, [files = &parts_.files, shared] { return files->append(*shared); }));
        bytes_.fetch_add(shared->size(), std::memory_order_relaxed);
        written_ = to.sequence;
        written_at_ = parts_.clock.steady();
    }
    position_ = to;
    std::erase_if(renames_, [&](const IndexRename& rename) { return rename.sequence <= to.sequence; });
    if (parts_.files.size() >= full_segment) CO_CHECK(co_await begin_segment(true, position_));
    co_return Result<>{};
}

Result<IndexWriter::Snapshots> IndexWriter::find_snapshots(BackupTarget& target)
{
    TRY(const auto ids, backup_ids(target));
    Snapshots found;
    for (const auto& id : ids) {
        const auto manifest = load_backup(target, id);
        // One that went meanwhile, or is damaged, which a rebuild tells: it keeps no segment.
        if (!manifest || !manifest->journal) continue;
        const auto segment = manifest->journal->segment;
        if (found.newest.empty() || segment < found.oldest_segment) found.oldest_segment = segment;
        found.newest = id;
        found.newest_segment = segment;
        found.at = manifest->snapshot_at;
    }
    return found;
}

// With each snapshot a segment begins, and those that no snapshot needs any more go.
Task<> IndexWriter::tidy()
{
    CO_TRY(const auto found, co_await offload(parts_.pool, [target = &parts_.snapshots] {
               return find_snapshots(*target);
           }));
    tidied_at_ = parts_.clock.steady();
    last_snapshot_ = found.at;
    const bool is_first = !std::exchange(is_tidied_, true);
    // What was wanted before the last end is wanted still.
    if (is_first && found.newest_segment < wanted_segment_) wants_snapshot_ = true;
    if (found.newest == snapshot_ || found.newest.empty()) co_return Result<>{};
    snapshot_ = found.newest;
    if (found.newest_segment >= wanted_segment_) wants_snapshot_ = false;
    if (!is_first) CO_CHECK(co_await begin_segment(true, position_));
    CO_CHECK(co_await offload(parts_.pool, [files = &parts_.files, oldest = found.oldest_segment]() -> Result<> {
        TRY(const auto segments, files->segments());
        for (const auto segment : segments) {
            if (segment < oldest) CHECK(files->remove(segment));
        }
        return {};
    }));
    co_return Result<>{};
}

void IndexWriter::add_metrics(MetricsText& text) const
{
    text.gauge(
        "entrepot_index_last_snapshot_timestamp_seconds",
        "When the last snapshot of the index beside the blobs was taken, in seconds since 1970; 0: never, or another "
        "instance writes it.",
        static_cast<double>(last_snapshot_.load()) / 1e6
    );
    text.gauge("entrepot_index_writer", "1 where this instance writes the index.", is_writer_ ? 1U : 0U);
    text.gauge(
        "entrepot_index_lag", "Events that the index does not have yet.", static_cast<std::uint64_t>(lag_.load())
    );
    text.counter("entrepot_index_errors_total", "Tries to write the index that failed.", errors_.load());
    text.counter("entrepot_index_gaps_total", "How often a snapshot had to make up for lost events.", gaps_.load());
    text.counter("entrepot_index_written_bytes_total", "Bytes written to the index's journal.", bytes_.load());
}

}  // namespace entrepot
