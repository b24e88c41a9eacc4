#include "events/audit/audit_log.hpp"

#include "core/log.hpp"
#include "events/audit/audit_verify.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t largest_block = std::size_t{1} << 20U;
constexpr std::size_t largest_batch = 2'048;  // records
constexpr std::size_t most_pending = 65'536;
constexpr Micros day = Micros{24} * 3600 * 1'000'000;
constexpr Micros between_drops = Micros{3600} * 1'000'000;

std::unexpected<Error> stopped()
{
    return fail(Errc::unavailable, "the audit trail is closed");
}

}  // namespace

AuditLog::AuditLog(
    AuditSegments& segments,
    AuditSegmentWriter& writer,
    const AccessPolicy& policy,
    const Clock& clock,
    Settings settings
)
    : segments_{segments},
      writer_{writer},
      policy_{policy},
      clock_{clock},
      settings_{std::move(settings)},
      pulls_{clock}
{
}

AuditLog::~AuditLog()
{
    stop();
}

Result<> AuditLog::open()
{
    CHECK(recover());
    (void)keep_room();
    publish();
    stopping_ = false;
    thread_ = std::thread{[this] { run(); }};
    return {};
}

void AuditLog::stop()
{
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    writer_.close();
}

void AuditLog::flush()
{
    std::unique_lock guard{mutex_};
    if (stopping_) return;
    const auto wanted = ++flushes_wanted_;
    wake_.notify_all();
    flushed_.wait(guard, [&] { return flushes_done_ >= wanted || stopping_; });
}

// Without room the disk is asked again: what was freed is used at once.
Task<> AuditLog::ready()
{
    if (admits_.load(std::memory_order_relaxed)) co_return Result<>{};
    co_return co_await completed_by<void>([this](Completion<void> completion) { ask_for_room(std::move(completion)); });
}

void AuditLog::ask_for_room(Completion<void> completion)
{
    {
        const std::scoped_lock lock{mutex_};
        if (!stopping_) {
            asking_.push_back(std::move(completion));
            wake_.notify_all();
            return;
        }
    }
    completion.complete(stopped());
}

Task<> AuditLog::record(AuditRecord record)
{
    return completed_by<void>([this, record = std::move(record)](Completion<void> completion) mutable {
        enqueue(std::move(record), std::move(completion));
    });
}

void AuditLog::choose(const AuditChoice& choice) noexcept
{
    pulls_wanted_ = choice.pulls;
    log_ins_wanted_ = choice.log_ins;
    log_outs_wanted_ = choice.log_outs;
}

void AuditLog::drop_before(Micros time) noexcept
{
    Micros known = purged_before_;
    while (known < time) {
        if (!purged_before_.compare_exchange_weak(known, time)) continue;
        drop_soon_ = true;
        return;
    }
}

bool AuditLog::left_out(const AuditRecord& record) const noexcept
{
    if (record.result != "ok") return false;
    return (record.operation == "login" && !log_ins_wanted_) || (record.operation == "logout" && !log_outs_wanted_);
}

Task<> AuditLog::note(AuditRecord what)
{
    if (left_out(what)) co_return Result<>{};
    const auto times = static_cast<std::uint64_t>(what.count);
    const auto verdict = notes_.note(what);
    if (verdict == RepeatedNotes::Verdict::repeated) co_return Result<>{};
    bool written = false;
    // What is reserved is for changes.
    if (verdict == RepeatedNotes::Verdict::first && admits_.load(std::memory_order_relaxed)) {
        const auto recorded = co_await record(std::move(what));
        written = recorded.has_value();
    }
    if (!written) dropped_notes_ += times;
    co_return Result<>{};
}

void AuditLog::gather(AuditRecord record) noexcept
{
    if (left_out(record)) return;
    const auto times = static_cast<std::uint64_t>(record.count);
    try {
        if (notes_.gather(std::move(record)) != RepeatedNotes::Verdict::dropped) return;
    } catch (const std::bad_alloc&) {  // NOLINT: counted below
    }
    dropped_notes_ += times;
}

void AuditLog::enqueue(AuditRecord record, Completion<void> completion)
{
    {
        const std::scoped_lock lock{mutex_};
        if (!stopping_ && pending_.size() < most_pending) {
            pending_.push_back({std::move(record), std::move(completion)});
            wake_.notify_all();
            return;
        }
    }
    completion.complete(stopped());
}

void AuditLog::run()
{
    auto last_flush = clock_.steady();
    std::unique_lock guard{mutex_};
    for (bool last = false; !last;) {
        const auto due = [this] {
            return !pending_.empty() || !asking_.empty() || stopping_ || flushes_wanted_ > flushes_done_;
        };
        wake_.wait_for(guard, settings_.flush_every, due);
        Batch batch;
        while (!pending_.empty() && batch.size() < largest_batch) {
            batch.push_back(std::move(pending_.front()));
            pending_.pop_front();
        }
        auto asking = std::exchange(asking_, {});
        last = stopping_ && pending_.empty();
        const auto wanted = flushes_wanted_;
        const bool asked = wanted > flushes_done_ || last;
        guard.unlock();
        if (!batch.empty()) write(std::move(batch));
        if (asked || clock_.steady() - last_flush >= settings_.flush_every) {
            write_gathered();
            if (drop_soon_.exchange(false) || clock_.now() >= next_drop_) drop_old_segments();
            last_flush = clock_.steady();
        }
        const auto room = keep_room();
        for (auto& completion : asking) completion.complete(room);
        guard.lock();
        if (asked) flushes_done_ = wanted;
        flushed_.notify_all();
    }
}

void AuditLog::write(Batch batch)
{
    std::vector<const AuditRecord*> records;
    records.reserve(batch.size());
    for (const auto& pending : batch) records.push_back(&pending.record);
    const auto written = append(records, Room::all);
    if (!written) log::failure(log::Level::error, "recording a change in the audit trail", written.error());
    for (auto& pending : batch) pending.completion.complete(written);
}

// What is dropped is told by a record as soon as there is room for one.
void AuditLog::write_gathered()
{
    auto records = pulls_.take(policy_);
    std::uint64_t pulls = 0;
    for (const auto& record : records) pulls += static_cast<std::uint64_t>(record.count);
    std::uint64_t notes = 0;
    for (auto& record : notes_.take()) {
        notes += static_cast<std::uint64_t>(record.count);
        records.push_back(std::move(record));
    }
    const auto lost_pulls = dropped_pulls_.load() + pulls_.dropped();
    const auto lost_notes = dropped_notes_.load();
    const auto tell = [&](std::uint64_t lost, std::uint64_t told, const char* what) {
        if (lost == told) return;
        auto record = own_record("dropped", "audit", what);
        record.count = static_cast<std::int64_t>(lost - told);
        records.push_back(std::move(record));
    };
    tell(lost_pulls, told_pulls_, "pull");
    tell(lost_notes, told_notes_, "note");
    if (records.empty()) return;
    if (append(std::move(records), Room::above_reserve)) {
        told_pulls_ = lost_pulls;
        told_notes_ = lost_notes;
    } else {
        dropped_pulls_ += pulls;
        dropped_notes_ += notes;
    }
}

Result<> AuditLog::keep_room()
{
    Result<> kept;
    if (writer_.room() < settings_.reserve + settings_.reserve / 2) {
        kept = writer_.make_room(2 * settings_.reserve);
        if (!kept) kept = writer_.make_room(settings_.reserve);
    }
    room_ = writer_.room();
    const bool admits = room_ >= settings_.reserve;
    if (admits_.exchange(admits) != admits) {
        if (admits)
            log::info("the audit trail has room: changes are admitted");
        else
            log::failure(log::Level::error, "the audit trail has no room: changes are refused", kept.error());
    }
    if (admits) return {};
    return fail(
        kept ? Errc::unavailable : kept.error().code(),
        "changes can't be recorded at the moment, so none are made",
        kept ? std::string{} : kept.error().detail()
    );
}

AuditRecord AuditLog::own_record(std::string operation, std::string type, std::string resource) const
{
    AuditRecord record;
    record.at = clock_.now();
    record.user = "(system)";
    record.operation = std::move(operation);
    record.resource_type = std::move(type);
    record.resource = std::move(resource);
    return record;
}

void AuditLog::drop_old_segments()
{
    const auto now = clock_.now();
    next_drop_ = now + between_drops;
    const auto kept = now - std::chrono::duration_cast<std::chrono::microseconds>(settings_.retention).count();
    const auto purged = purged_before_.load();
    const auto limit = std::max(kept, purged);
    std::size_t count = 0;
    while (count + 1 < kept_.size() && kept_[count + 1].created < limit) ++count;
    if (count == 0) return;
    auto record = own_record("delete", std::string{audit_segment_type}, std::to_string(kept_[count - 1].number));
    record.detail = purged > kept ? "purged by an admin" : "older than audit.retention";
    if (!append({&record}, Room::above_reserve)) return;
    std::size_t removed = 0;
    Result<> done;
    while (removed < count && (done = writer_.remove(kept_[removed].number))) ++removed;
    if (!done) log::failure(log::Level::warning, "dropping an old audit segment", done.error());
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(removed));
}

Result<> AuditLog::append(std::vector<AuditRecord> records, Room room)
{
    std::vector<const AuditRecord*> pointers;
    pointers.reserve(records.size());
    for (const auto& record : records) pointers.push_back(&record);
    return append(pointers, room);
}

Result<> AuditLog::append(const std::vector<const AuditRecord*>& records, Room room)
{
    if (segment_is_over()) {
        // Without room for a new segment the old one goes on.
        if (const auto begun = begin_segment(); !begun && begun.error().code() != Errc::storage_full) return begun;
    }
    auto head = at_.head;
    const auto text = framed(records, head);
    const auto needed = text.size() + (room == Room::all ? 0 : settings_.reserve);
    if (writer_.room() < needed) CHECK(writer_.make_room(needed));
    CHECK(writer_.append(text));
    records_ += records.size();
    blocks_ += head.block - at_.head.block;
    at_.offset += text.size();
    at_.head = std::move(head);
    header_.clear();
    publish();
    return {};
}

std::string AuditLog::framed(const std::vector<const AuditRecord*>& records, AuditHead& head) const
{
    std::string text;
    auto lines = header_;
    std::uint64_t count = 0;
    const auto seal = [&] {
        auto sealed = seal_block(head, lines, count);
        text += lines;
        text += sealed.line;
        head = std::move(sealed.head);
        lines.clear();
        count = 0;
    };
    for (const auto* record : records) {
        append_record_line(lines, head.record + ++count, *record);
        if (lines.size() >= largest_block) seal();
    }
    if (count > 0) seal();
    return text;
}

bool AuditLog::segment_is_over() const
{
    if (at_.offset == 0) return false;
    return at_.offset >= settings_.segment_bytes || kept_.back().created / day != clock_.now() / day;
}

Result<> AuditLog::begin_segment()
{
    const auto number = kept_.empty() ? first_number_ : kept_.back().number + 1;
    CHECK(writer_.begin(number));
    const auto now = clock_.now();
    at_.segment = number;
    at_.offset = 0;
    at_.first_block = at_.head.block + 1;
    header_ = header_line({number, settings_.instance, at_.head, now});
    kept_.push_back({number, now});
    next_drop_ = 0;
    return {};
}

void AuditLog::publish()
{
    const std::scoped_lock lock{mutex_};
    published_ = at_;
}

AuditLog::Position AuditLog::position() const
{
    const std::scoped_lock lock{mutex_};
    return published_;
}

AuditLog::Counters AuditLog::counters() const
{
    return {
        .records = records_,
        .blocks = blocks_,
        .dropped_pulls = dropped_pulls_ + pulls_.dropped(),
        .dropped_notes = dropped_notes_,
        .room = room_,
        .admits = admits_,
    };
}

}  // namespace entrepot
