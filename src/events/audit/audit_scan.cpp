#include "events/audit/audit_scan.hpp"

#include <vector>

namespace entrepot {
namespace {

// The next line without its newline; nullopt at the end and for a line that has none.
std::optional<std::string_view> line_at(std::string_view bytes, std::size_t offset)
{
    const auto end = bytes.find('\n', offset);
    if (end == std::string_view::npos) return std::nullopt;
    return bytes.substr(offset, end - offset);
}

class Walk {
public:
    Walk(std::string_view bytes, std::uint64_t number, const AuditVisitor& visitor)
        : bytes_{bytes}, number_{number}, visitor_{visitor}
    {
    }

    AuditScan run(const std::string& instance, const std::optional<AuditHead>& before)
    {
        if (before) scan_.head = *before;
        const auto first = line_at(bytes_, 0);
        scan_.header = first ? parse_header_line(*first) : std::nullopt;
        if (!scan_.header) {
            // Without a header there is no block either, unless somebody put it there.
            if (holds_block(0)) return broken("the segment's header is damaged");
            scan_.torn = !bytes_.empty();
            return std::move(scan_);
        }
        const auto& header = *scan_.header;
        if (header.segment != number_ || header.instance != instance)
            return broken("the segment says that it is another one");
        if (!before)
            scan_.head = header.before;
        else if (header.before != *before)
            return broken("the segment does not go on where the one before it ended");
        offset_ = first->size() + 1;
        blocks();
        return std::move(scan_);
    }

private:
    AuditScan broken(std::string what)
    {
        scan_.broken = AuditBreak{number_, scan_.head.record + 1, std::move(what)};
        return std::move(scan_);
    }

    bool holds_block(std::size_t from) const
    {
        for (auto line = line_at(bytes_, from); line; line = line_at(bytes_, from)) {
            if (kind_of(*line) == AuditLineKind::block) return true;
            from += line->size() + 1;
        }
        return false;
    }

    // Blocks until the end, or the first thing that is wrong.
    void blocks()
    {
        std::size_t start = 0;  // of the block: the header belongs to the first one
        while (offset_ < bytes_.size()) {
            const auto line = line_at(bytes_, offset_);
            const auto kind = line ? kind_of(*line) : AuditLineKind::none;
            if (kind == AuditLineKind::block) {
                if (!close_block(start, *line)) return;
                offset_ += line->size() + 1;
                scan_.end = start = offset_;
                continue;
            }
            const auto record = line ? parse_line_start(*line) : std::nullopt;
            if (!record || record->number != scan_.head.record + lines_.size() + 1) return stop_at(line);
            lines_.push_back(*line);
            offset_ += line->size() + 1;
        }
        scan_.torn = scan_.end != bytes_.size();
    }

    // Something that is no next record: the torn end of the last write, unless whole blocks follow.
    void stop_at(std::optional<std::string_view> line)
    {
        if (!holds_block(offset_)) {
            scan_.torn = true;
            return;
        }
        const auto number = scan_.head.record + lines_.size() + 1;
        const bool is_record = line && parse_line_start(*line);
        scan_.broken =
            AuditBreak{number_, number, is_record ? "records are missing or out of order" : "a line is no record"};
    }

    bool close_block(std::size_t start, std::string_view line)
    {
        const auto sealed = seal_block(scan_.head, bytes_.substr(start, offset_ - start), lines_.size());
        if (std::string_view{sealed.line}.substr(0, sealed.line.size() - 1) != line) {
            scan_.broken = AuditBreak{
                number_,
                scan_.head.record + 1,
                "block " + std::to_string(sealed.head.block) + " (records " + std::to_string(scan_.head.record + 1) +
                    " to " + std::to_string(sealed.head.record) + ") does not have the hash that it was sealed with"
            };
            return false;
        }
        if (visitor_.record) {
            for (const auto record : lines_) visitor_.record(record);
        }
        lines_.clear();
        scan_.head = sealed.head;
        if (visitor_.block) visitor_.block(scan_.head);
        return true;
    }

    std::string_view bytes_;
    std::uint64_t number_;
    const AuditVisitor& visitor_;
    AuditScan scan_;
    std::size_t offset_ = 0;
    std::vector<std::string_view> lines_;  // of the block that is open
};

}  // namespace

AuditScan scan_segment(
    std::string_view bytes,
    std::uint64_t number,
    const std::string& instance,
    const std::optional<AuditHead>& before,
    const AuditVisitor& visitor
)
{
    return Walk{bytes, number, visitor}.run(instance, before);
}

}  // namespace entrepot
