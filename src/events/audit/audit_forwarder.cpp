#include "events/audit/audit_forwarder.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <vector>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t piece = std::size_t{128} << 10U;
constexpr auto idle = 200ms;
constexpr auto longest_pause = std::chrono::milliseconds{30s};

// What a sink needs to know of each record in `bytes`; those end with a newline.
std::vector<AuditMessage> messages_of(std::string_view bytes, std::uint64_t& last)
{
    constexpr std::string_view ok = "\"result\":\"ok\"";
    constexpr std::string_view operation = "\"operation\":\"";
    std::vector<AuditMessage> messages;
    while (!bytes.empty()) {
        const auto line = bytes.substr(0, bytes.find('\n'));
        bytes.remove_prefix(line.size() + 1);
        const auto start = parse_line_start(line);
        if (!start) continue;
        last = start->number;
        AuditMessage message;
        message.at = start->at;
        message.ok = line.find(ok) != std::string_view::npos;
        message.json = line;
        if (const auto at = line.find(operation); at != std::string_view::npos) {
            const auto rest = line.substr(at + operation.size());
            message.operation = rest.substr(0, rest.find('"'));
        }
        messages.push_back(message);
    }
    return messages;
}

}  // namespace

AuditForwarder::AuditForwarder(
    std::string name, AuditSegments& segments, AuditCursors& cursors, const AuditLog& log, AuditSink& sink
)
    : name_{std::move(name)}, segments_{segments}, cursors_{cursors}, log_{log}, sink_{sink}
{
}

AuditForwarder::~AuditForwarder()
{
    stop();
}

Result<AuditForwarder::Cursor> AuditForwarder::load()
{
    TRY(const auto text, cursors_.load("forward-" + name_));
    std::istringstream words{text};
    Cursor cursor;
    if (words >> cursor.segment >> cursor.offset >> cursor.record) return cursor;
    const auto end = log_.position();
    return Cursor{end.segment, end.offset, end.head.record};
}

Result<> AuditForwarder::save()
{
    return cursors_.save(
        "forward-" + name_,
        std::to_string(cursor_.segment) + " " + std::to_string(cursor_.offset) + " " + std::to_string(cursor_.record) +
            "\n"
    );
}

Result<> AuditForwarder::start()
{
    TRY(cursor_, load());
    CHECK(save());
    record_ = cursor_.record;
    thread_ = std::thread{[this] { run(); }};
    return {};
}

void AuditForwarder::stop()
{
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

bool AuditForwarder::wait(std::chrono::milliseconds time)
{
    std::unique_lock guard{mutex_};
    wake_.wait_for(guard, time, [this] { return stopping_; });
    return !stopping_;
}

void AuditForwarder::run()
{
    std::chrono::milliseconds pause{0};
    while (wait(pause)) {
        auto moved = step();
        if (moved && *moved) {
            if (auto saved = save(); !saved) moved = std::unexpected{std::move(saved).error()};
        }
        if (!moved) {
            ++failures_;
            if (pause < 1s) log::failure(log::Level::warning, "forwarding the audit trail: " + name_, moved.error());
            pause = std::clamp(2 * pause, std::chrono::milliseconds{1s}, longest_pause);
        } else {
            if (pause >= 1s) log::info("the audit trail is forwarded again", {{"to", name_}});
            pause = *moved ? 0ms : idle;
        }
    }
}

Result<bool> AuditForwarder::step()
{
    const auto end = log_.position();
    const bool is_last = cursor_.segment >= end.segment;
    if (is_last && cursor_.offset >= end.offset) return false;
    auto bytes = segments_.read(log_.instance(), cursor_.segment, cursor_.offset, piece);
    if (!bytes && bytes.error().code() == Errc::not_found) return next_segment(end);
    if (!bytes) return std::unexpected{std::move(bytes).error()};
    // Only what is durable, and only whole lines.
    if (is_last) bytes->resize(std::min<std::size_t>(bytes->size(), end.offset - cursor_.offset));
    const auto whole = bytes->rfind('\n');
    if (whole == std::string::npos) return is_last ? Result<bool>{false} : next_segment(end);
    auto record = cursor_.record;
    const auto messages = messages_of(std::string_view{*bytes}.substr(0, whole + 1), record);
    if (!messages.empty()) CHECK(sink_.send(messages));
    cursor_.offset += whole + 1;
    cursor_.record = record;
    forwarded_ += messages.size();
    record_ = record;
    return true;
}

// To the segment behind the cursor's, or the first one that is left.
Result<bool> AuditForwarder::next_segment(const AuditLog::Position& end)
{
    TRY(const auto list, segments_.segments(log_.instance()));
    const auto next = std::ranges::find_if(list, [&](const auto& segment) { return segment.number > cursor_.segment; });
    if (next == list.end()) {
        cursor_ = {end.segment, end.offset, end.head.record};
        return true;
    }
    TRY(const auto start, segments_.read(log_.instance(), next->number, 0, 1024));
    const auto header = parse_header_line(std::string_view{start}.substr(0, start.find('\n')));
    if (header && header->before.record > cursor_.record) lost_ += header->before.record - cursor_.record;
    cursor_.segment = next->number;
    cursor_.offset = 0;
    if (header) cursor_.record = std::max(cursor_.record, header->before.record);
    return true;
}

AuditForwarder::Counters AuditForwarder::counters() const
{
    const auto end = log_.position().head.record;
    const auto record = record_.load();
    return {.forwarded = forwarded_, .lost = lost_, .failures = failures_, .behind = end > record ? end - record : 0};
}

}  // namespace entrepot
