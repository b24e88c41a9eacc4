#include "events/audit/audit_lines.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t piece = std::size_t{256} << 10U;
constexpr std::size_t longest_header = 1024;
// A gathered record may be a second older than its segment.
constexpr Micros slack = 5'000'000;

}  // namespace

AuditLines::AuditLines(AuditSegments& segments, std::string instance, bool newest_first, Range range)
    : segments_{segments}, instance_{std::move(instance)}, newest_first_{newest_first}, range_{range}
{
}

Result<> AuditLines::load_list()
{
    TRY(list_, segments_.segments(instance_));
    headers_.assign(list_.size(), std::nullopt);
    ended_ = list_.empty();
    return {};
}

Result<> AuditLines::start()
{
    CHECK(load_list());
    if (ended_) return {};
    at_ = newest_first_ ? list_.size() - 1 : 0;
    offset_ = newest_first_ ? list_[at_].bytes : 0;
    for (;;) {
        TRY(const bool outside, is_outside(at_));
        if (!outside) return {};
        TRY(const bool more, next_segment());
        if (!more) return {};
    }
}

Result<> AuditLines::start_at(Place place)
{
    CHECK(load_list());
    const auto found = std::ranges::find(list_, place.segment, &AuditSegment::number);
    if (found == list_.end() || place.offset > found->bytes) {
        // Dropped meanwhile, with everything older.
        if (newest_first_ || list_.empty()) {
            ended_ = true;
            return {};
        }
        at_ = 0;
        offset_ = 0;
        return {};
    }
    at_ = static_cast<std::size_t>(found - list_.begin());
    offset_ = place.offset;
    return {};
}

Result<std::optional<AuditHeader>> AuditLines::header_of(std::size_t index)
{
    auto& known = headers_[index];
    if (!known) {
        TRY(const auto start, segments_.read(instance_, list_[index].number, 0, longest_header));
        known = parse_header_line(std::string_view{start}.substr(0, start.find('\n')));
    }
    return *known;
}

// Whether all records of the segment are outside of the range, by the times at which it and the next one begin.
Result<bool> AuditLines::is_outside(std::size_t index)
{
    if (range_.until != 0) {
        TRY(const auto header, header_of(index));
        if (header && header->created - slack > range_.until) return true;
    }
    if (range_.from != 0 && index + 1 < list_.size()) {
        TRY(const auto next, header_of(index + 1));
        if (next && next->created + slack < range_.from) return true;
    }
    return false;
}

Result<bool> AuditLines::next_segment()
{
    buffer_.clear();
    for (;;) {
        const bool last = newest_first_ ? at_ == 0 : at_ + 1 >= list_.size();
        if (last) {
            ended_ = true;
            return false;
        }
        at_ += newest_first_ ? std::size_t(-1) : 1;
        offset_ = newest_first_ ? list_[at_].bytes : 0;
        TRY(const bool outside, is_outside(at_));
        if (!outside) return true;
    }
}

// More bytes in the walk's direction; false when the segment has no more.
Result<bool> AuditLines::fill()
{
    const auto size = list_[at_].bytes;
    if (newest_first_) {
        const auto end = buffer_.empty() ? offset_ : buffer_start_;
        if (end == 0) return false;
        const auto start = end > piece ? end - piece : 0;
        auto more = segments_.read(instance_, number(), start, static_cast<std::size_t>(end - start));
        if (!more && more.error().code() == Errc::not_found) return false;
        if (!more) return std::unexpected{std::move(more).error()};
        bytes_read_ += more->size();
        buffer_.insert(0, *more);
        buffer_start_ = start;
        return true;
    }
    const auto start = buffer_.empty() ? offset_ : buffer_start_ + buffer_.size();
    if (start >= size) return false;
    auto more = segments_.read(
        instance_, number(), start, static_cast<std::size_t>(std::min<std::uint64_t>(piece, size - start))
    );
    if (!more && more.error().code() == Errc::not_found) return false;
    if (!more) return std::unexpected{std::move(more).error()};
    if (more->empty()) return false;
    bytes_read_ += more->size();
    if (buffer_.empty()) buffer_start_ = start;
    buffer_ += *more;
    return true;
}

// The next whole line of what has been read, the place moved behind it. What comes after the last newline is no line.
std::optional<std::string_view> AuditLines::buffered_line()
{
    if (buffer_.empty()) return std::nullopt;
    const std::string_view bytes{buffer_};
    const auto at = static_cast<std::size_t>(offset_ - buffer_start_);
    if (!newest_first_) {
        const auto end = bytes.find('\n', at);
        if (end == std::string_view::npos) return std::nullopt;
        offset_ = buffer_start_ + end + 1;
        return bytes.substr(at, end - at);
    }
    if (at == 0) return std::nullopt;
    const auto end = bytes[at - 1] == '\n' ? at - 1 : std::string_view::npos;
    const auto before = at < 2 ? std::string_view::npos : bytes.rfind('\n', at - 2);
    if (before == std::string_view::npos && buffer_start_ > 0) return std::nullopt;
    const auto start = before == std::string_view::npos ? 0 : before + 1;
    offset_ = buffer_start_ + start;
    if (end == std::string_view::npos) return std::string_view{};  // unfinished: of no kind
    return bytes.substr(start, end - start);
}

Result<std::optional<AuditLines::Line>> AuditLines::next()
{
    while (!ended_) {
        const auto line = buffered_line();
        if (line) {
            if (kind_of(*line) != AuditLineKind::record) continue;
            const auto start = parse_line_start(*line);
            if (start) return std::optional{Line{*line, *start}};
            continue;
        }
        // Only the unread part is kept.
        if (!buffer_.empty()) {
            const auto at = static_cast<std::size_t>(offset_ - buffer_start_);
            if (newest_first_) {
                buffer_.resize(at);
            } else {
                buffer_.erase(0, at);
                buffer_start_ = offset_;
            }
        }
        TRY(const bool more, fill());
        if (more) continue;
        CHECK(next_segment());
    }
    return std::optional<Line>{};
}

Result<std::uint64_t> AuditLines::skip(std::uint64_t count)
{
    std::uint64_t skipped = 0;
    while (!ended_) {
        TRY(const auto header, header_of(at_));
        if (!header) break;
        std::uint64_t records = 0;
        if (at_ + 1 < list_.size()) {
            TRY(const auto next, header_of(at_ + 1));
            if (!next) break;
            records = next->before.record - header->before.record;
        } else {
            TRY(const auto last, last_record());
            records = last - header->before.record;
        }
        if (skipped + records > count) break;
        skipped += records;
        TRY(const bool more, next_segment());
        if (!more) break;
    }
    return skipped;
}

Result<std::uint64_t> AuditLines::last_record()
{
    AuditLines end{segments_, instance_, true, {}};
    CHECK(end.start());
    TRY(const auto last, end.next());
    return last ? last->start.number : 0;
}

Result<std::uint64_t> AuditLines::total()
{
    if (list_.empty()) return std::uint64_t{0};
    TRY(const auto header, header_of(0));
    TRY(const auto last, last_record());
    const auto before = header ? header->before.record : 0;
    return last > before ? last - before : 0;
}

}  // namespace entrepot
