#include "events/audit/audit_reader.hpp"

#include "core/bytes.hpp"
#include "events/audit/audit_filter.hpp"
#include "events/audit/audit_lines.hpp"

#include <algorithm>
#include <charconv>
#include <list>
#include <map>

namespace entrepot {
namespace {

constexpr int most_waiting = 32;

using Places = std::map<std::string, AuditLines::Place>;

std::optional<std::uint64_t> number_in(std::string_view& text)
{
    std::uint64_t number = 0;
    if (!text.starts_with(' ')) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

// "instance segment offset" a line below the order, as base64url: what Merge::cursor() writes.
Result<Places> places_of(std::string_view cursor, bool newest_first)
{
    const auto wrong = [] { return fail(Errc::bad_request, "the cursor is not one of this list"); };
    const auto decoded = from_base64url(cursor);
    const std::string_view order = newest_first ? "newest" : "oldest";
    if (!decoded || !decoded->starts_with(order)) return wrong();
    Places places;
    std::string_view rest = std::string_view{*decoded}.substr(order.size());
    while (!rest.empty()) {
        auto line = rest.substr(1, rest.find('\n', 1) - 1);
        rest.remove_prefix(line.size() + 1);
        const auto space = line.find(' ');
        if (space == std::string_view::npos) return wrong();
        const std::string instance{line.substr(0, space)};
        line.remove_prefix(space);
        const auto segment = number_in(line);
        const auto offset = segment ? number_in(line) : std::nullopt;
        if (!offset || !line.empty()) return wrong();
        places[instance] = {*segment, *offset};
    }
    return places;
}

// The chains of one question, merged by time.
class Merge {
public:
    Merge(AuditSegments& segments, const AuditFilter& filter, bool newest_first, std::uint64_t budget)
        : segments_{segments}, filter_{filter}, newest_first_{newest_first}, budget_{budget}
    {
    }

    Result<> open(const std::optional<Places>& places)
    {
        TRY(const auto instances, segments_.instances());
        for (const auto& instance : instances) {
            if (places && !places->contains(instance)) continue;
            auto& chain = chains_.emplace_back(segments_, instance, newest_first_, filter_.range());
            CHECK(places ? chain.start_at(places->at(instance)) : chain.start());
            heads_.emplace_back();
        }
        return {};
    }

    Result<std::int64_t> total()
    {
        std::uint64_t sum = 0;
        for (auto& chain : chains_) {
            TRY(const auto records, chain.total());
            sum += records;
        }
        return static_cast<std::int64_t>(sum);
    }

    // With one chain whole segments can be left out.
    Result<std::int64_t> skip(std::int64_t count)
    {
        if (chains_.size() != 1 || !filter_.is_open()) return std::int64_t{0};
        TRY(const auto skipped, chains_.front().skip(static_cast<std::uint64_t>(count)));
        return static_cast<std::int64_t>(skipped);
    }

    // The next record that is asked for; `wanted`: parsed whole. nullopt: the end, or the budget's.
    Result<std::optional<AuditEntry>> next(bool wanted)
    {
        std::size_t best = heads_.size();
        auto chain = chains_.begin();
        for (std::size_t index = 0; index < heads_.size(); ++index, ++chain) {
            CHECK(advance(*chain, heads_[index]));
            const auto& head = heads_[index];
            if (!head.entry) continue;
            const bool sooner =
                best == heads_.size() || (newest_first_ ? head.entry->record.at > heads_[best].entry->record.at
                                                        : head.entry->record.at < heads_[best].entry->record.at);
            if (sooner) best = index;
        }
        if (best == heads_.size()) return std::optional<AuditEntry>{};
        auto entry = std::move(heads_[best].entry);
        heads_[best].entry.reset();
        if (wanted && heads_[best].is_light) {
            auto whole = parse_record_line(heads_[best].line);
            if (whole) {
                whole->instance = entry->instance;
                return whole;
            }
        }
        return entry;
    }

    bool exhausted() const
    {
        return std::ranges::any_of(chains_, [&](const AuditLines& chain) { return over_budget(chain); });
    }

    // Before a page's next record: where the page ends. What was looked at ahead is given back.
    std::string cursor()
    {
        bool more = false;
        std::string text = newest_first_ ? "newest" : "oldest";
        auto chain = chains_.begin();
        for (const auto& head : heads_) {
            const auto place = head.entry ? head.before : chain->place();
            if (head.entry || !chain->ended()) {
                more = true;
                text +=
                    "\n" + chain->instance() + " " + std::to_string(place.segment) + " " + std::to_string(place.offset);
            }
            ++chain;
        }
        return more ? to_base64url(as_bytes(text)) : std::string{};
    }

private:
    struct Head {
        std::optional<AuditEntry> entry;
        AuditLines::Place before;
        bool is_light = false;
        std::string line;
    };

    bool over_budget(const AuditLines& chain) const { return !chain.ended() && chain.bytes_read() >= budget_; }

    Result<> advance(AuditLines& chain, Head& head)
    {
        while (!head.entry && !over_budget(chain)) {
            const auto before = chain.place();
            TRY(const auto line, chain.next());
            if (!line) return {};
            head.before = before;
            if (filter_.is_open()) {
                head.is_light = true;
                head.line.assign(line->text);
                head.entry.emplace();
                head.entry->number = line->start.number;
                head.entry->record.at = line->start.at;
            } else if (filter_.may_match(line->text)) {
                auto entry = parse_record_line(line->text);
                if (!entry || !filter_.matches(*entry)) continue;
                head.is_light = false;
                head.entry = std::move(entry);
            }
            if (head.entry) head.entry->instance = chain.instance();
        }
        return {};
    }

    AuditSegments& segments_;
    const AuditFilter& filter_;
    bool newest_first_;
    std::uint64_t budget_;
    std::list<AuditLines> chains_;
    std::vector<Head> heads_;
};

Result<bool> is_newest_first(const ListQuery& list)
{
    if (list.order.empty()) return true;
    const auto& first = list.order.front();
    if (list.order.size() > 1 || (first.field != "op_time" && first.field != "id")) {
        return fail(Errc::bad_request, "this list can be sorted by op_time alone");
    }
    return first.descending;
}

}  // namespace

Result<AuditPage> AuditReader::read_now(const AuditQuery& query)
{
    TRY(const auto filter, AuditFilter::of(query));
    TRY(const bool newest_first, is_newest_first(query.list));
    std::optional<Places> places;
    if (!query.cursor.empty()) {
        TRY(places, places_of(query.cursor, newest_first));
    }
    Merge merge{segments_, filter, newest_first, budget_};
    CHECK(merge.open(places));

    AuditPage page;
    std::int64_t passed = 0;  // records before the page
    if (filter.is_open()) {
        TRY(page.total, merge.total());
    }
    const auto offset = places ? 0 : query.list.offset;
    if (offset > 0) {
        TRY(passed, merge.skip(offset));
    }
    const auto size = static_cast<std::size_t>(query.list.limit);
    bool full = size == 0;
    while (!full) {
        TRY(auto entry, merge.next(passed >= offset));
        if (!entry) break;
        if (passed++ < offset) continue;
        page.entries.push_back(*std::move(entry));
        full = page.entries.size() == size;
    }
    page.next_cursor = merge.cursor();
    if (!filter.is_open()) {
        // The rest is only counted.
        page.total = passed;
        while (full && !places) {
            TRY(const auto entry, merge.next(false));
            if (!entry) break;
            ++page.total;
        }
    }
    page.complete = !merge.exhausted();
    std::ranges::sort(page.entries, [&](const AuditEntry& left, const AuditEntry& right) {
        const auto key = [](const AuditEntry& entry) { return std::pair{entry.record.at, entry.number}; };
        return newest_first ? key(left) > key(right) : key(left) < key(right);
    });
    return page;
}

Task<AuditPage> AuditReader::read(AuditQuery query)
{
    if (waiting_.fetch_add(1) >= most_waiting) {
        --waiting_;
        co_return fail(Errc::unavailable, "too many questions to the audit trail at once");
    }
    auto page = co_await offload(threads_, [this, query = std::move(query)] { return read_now(query); });
    --waiting_;
    co_return page;
}

void AuditReader::stop()
{
    threads_.join();
}

}  // namespace entrepot
