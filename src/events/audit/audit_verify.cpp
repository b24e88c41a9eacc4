#include "events/audit/audit_verify.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace entrepot {
namespace {

// The number of the last segment that a record says was dropped; 0 for any other record.
std::uint64_t dropped_by(std::string_view line)
{
    if (line.find("\"resource_type\":\"" + std::string{audit_segment_type} + "\"") == std::string_view::npos) return 0;
    const auto entry = parse_record_line(line);
    if (!entry || entry->record.resource_type != audit_segment_type || entry->record.operation != "delete") return 0;
    std::uint64_t number = 0;
    const auto& name = entry->record.resource;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

class Verification {
public:
    Verification(AuditSegments& segments, const std::string& instance, std::span<const AuditAnchor> anchors)
        : segments_{segments}, instance_{instance}
    {
        for (const auto& anchor : anchors) anchors_[static_cast<std::uint64_t>(anchor.block)] = anchor.hash;
    }

    Result<AuditProof> run()
    {
        TRY(const auto list, segments_.segments(instance_));
        for (std::size_t index = 0; index < list.size() && !proof_.broken; ++index) {
            CHECK(one(list[index], index + 1 == list.size()));
        }
        if (!proof_.broken) check_start(list);
        if (!proof_.broken) check_anchors();
        return std::move(proof_);
    }

private:
    Result<> one(const AuditSegment& segment, bool is_last)
    {
        const bool is_first = proof_.segments == 0;
        if (!is_first && segment.number != last_number_ + 1) {
            return broken(last_number_ + 1, "the segment is missing");
        }
        TRY(const auto bytes, read_segment(segments_, instance_, segment));
        current_ = segment.number;
        std::optional<AuditHead> before;
        if (!is_first)
            before = proof_.head;
        else if (segment.number == 1)
            before = AuditHead{};
        const AuditVisitor visitor{
            [this](std::string_view line) { dropped_ = std::max(dropped_, dropped_by(line)); },
            [this](const AuditHead& head) { attest(head); },
        };
        auto scan = scan_segment(bytes, segment.number, instance_, before, visitor);
        if (is_first && scan.header) {
            proof_.first_record = scan.header->before.record + 1;
            attest(scan.header->before);
        }
        last_number_ = segment.number;
        ++proof_.segments;
        proof_.head = std::move(scan.head);
        proof_.torn = scan.torn;
        proof_.broken = std::move(scan.broken);
        if (!proof_.broken && scan.torn && !is_last) return broken(segment.number, "the segment's end is missing");
        return {};
    }

    void attest(const AuditHead& head)
    {
        const auto anchor = anchors_.find(head.block);
        if (anchor == anchors_.end()) return;
        if (anchor->second == head.hash) {
            ++proof_.anchors;
        } else if (!contradicted_) {
            contradicted_ = AuditBreak{
                current_,
                head.record,
                "block " + std::to_string(head.block) + " is not the one that the database attests"
            };
        }
    }

    // What was dropped because of its age, the chain itself says.
    void check_start(const std::vector<AuditSegment>& list)
    {
        if (list.empty() || list.front().number <= dropped_ + 1) return;
        (void)broken(dropped_ + 1, "the segment is missing, and no record says that it was dropped");
        proof_.broken->record = 0;
    }

    void check_anchors()
    {
        if (contradicted_) {
            proof_.broken = std::move(contradicted_);
            return;
        }
        if (anchors_.empty()) return;
        const auto& [block, hash] = *anchors_.rbegin();
        if (block <= proof_.head.block) return;
        (void)broken(
            last_number_,
            "the end is missing: the database attests block " + std::to_string(block) + ", the last one here is " +
                std::to_string(proof_.head.block)
        );
    }

    Result<> broken(std::uint64_t segment, std::string what)
    {
        proof_.broken = AuditBreak{segment, proof_.head.record + 1, std::move(what)};
        return {};
    }

    AuditSegments& segments_;
    const std::string& instance_;
    std::map<std::uint64_t, std::string> anchors_;
    AuditProof proof_;
    std::optional<AuditBreak> contradicted_;
    std::uint64_t last_number_ = 0;
    std::uint64_t current_ = 0;  // the segment that is being walked
    std::uint64_t dropped_ = 0;
};

}  // namespace

Result<std::string> read_segment(AuditSegments& segments, const std::string& instance, const AuditSegment& segment)
{
    return segments.read(instance, segment.number, 0, segment.bytes);
}

Result<AuditProof>
verify_chain(AuditSegments& segments, const std::string& instance, std::span<const AuditAnchor> anchors)
{
    return Verification{segments, instance, anchors}.run();
}

}  // namespace entrepot
