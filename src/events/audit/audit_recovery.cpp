// How AuditLog finds the end of its chain when it opens.
#include "core/log.hpp"
#include "events/audit/audit_log.hpp"
#include "events/audit/audit_scan.hpp"
#include "events/audit/audit_verify.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t longest_header = 1024;

// What the last block line of a segment claims; the header where there is none.
AuditHead claimed_head(std::string_view bytes, const std::optional<AuditHeader>& header)
{
    AuditHead head = header ? header->before : AuditHead{};
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto line = bytes.substr(0, end);
        if (const auto record = parse_line_start(line)) head.record = std::max(head.record, record->number);
        if (auto block = parse_block_line(line); block && block->hash.size() == head.hash.size()) {
            head.block = block->block;
            head.hash = std::move(block->hash);
        }
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    }
    return head;
}

}  // namespace

void AuditLog::read_kept(const std::vector<AuditSegment>& list)
{
    kept_.clear();
    for (const auto& segment : list) {
        Micros created = kept_.empty() ? 0 : kept_.back().created;
        const auto start = segments_.read(settings_.instance, segment.number, 0, longest_header);
        if (start) {
            const auto header = parse_header_line(std::string_view{*start}.substr(0, start->find('\n')));
            if (header) created = header->created;
        }
        kept_.push_back({segment.number, created});
    }
}

Result<>
AuditLog::go_on_in(const AuditSegment& segment, const AuditHeader& header, const AuditHead& head, std::uint64_t end)
{
    CHECK(writer_.resume(segment.number, end));
    at_ = {.segment = segment.number, .offset = end, .first_block = header.before.block + 1, .head = head};
    return {};
}

// From the last segment backwards to one that holds a block. A crash leaves at most one behind it that holds none.
Result<> AuditLog::recover()
{
    TRY(auto list, segments_.segments(settings_.instance));
    read_kept(list);
    while (!list.empty()) {
        const auto segment = list.back();
        TRY(const auto bytes, read_segment(segments_, settings_.instance, segment));
        const auto scan = scan_segment(bytes, segment.number, settings_.instance, std::nullopt);
        if (scan.broken) {
            log::error(
                "the audit trail's last segment is damaged; `entrepot audit verify` says where",
                {{"segment", segment.number}, {"what", scan.broken->what}}
            );
            at_.head = claimed_head(bytes, scan.header);
            break;
        }
        if (scan.torn) {
            log::warning(
                "an audit block that was never acknowledged is cut off",
                {{"segment", segment.number}, {"bytes", static_cast<std::uint64_t>(bytes.size() - scan.end)}}
            );
        }
        if (scan.end > 0) return go_on_in(segment, *scan.header, scan.head, scan.end);
        // Nothing in it was ever acknowledged.
        if (scan.header && list.size() == 1) at_.head = scan.header->before;
        CHECK(writer_.remove(segment.number));
        first_number_ = segment.number;
        list.pop_back();
        kept_.pop_back();
    }
    return begin_segment();
}

}  // namespace entrepot
