#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/manifest_rows.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
#include <unordered_map>

namespace entrepot {
namespace {

using ProjectIds = std::optional<std::vector<std::int64_t>>;
using Ids = std::span<const std::int64_t>;

constexpr SqlStatement find_repository{"SELECT id, project_id FROM repositories WHERE name = $1"};
constexpr SqlStatement select_states{
    "SELECT t.name, m.digest, m.id FROM tags t JOIN manifests m ON m.id = t.manifest_id "
    "WHERE t.repository_id = $1 AND t.name > $2 AND t.name <= $3 ORDER BY t.name LIMIT $4"
};
constexpr const char* after_all_tags = "~";  // no tag has anything above it

struct FoundState {
    TagState state;
    std::int64_t manifest_id = 0;
};

// Reads the states of a range in their order, as far as there is room.
class StateReader {
public:
    StateReader(SqlSession& session, const ProjectIds& projects, std::int64_t limit)
        : session_{session}, projects_{projects}, limit_{limit}
    {
    }

    Result<> read_one(const std::string& repository, const std::string& after, const std::string& until)
    {
        TRY(const auto rows, session_.run(find_repository, {repository}));
        const auto visible = [&](std::int64_t project) {
            return !projects_ || std::ranges::find(*projects_, project) != projects_->end();
        };
        if (room() <= 0 || rows.empty() || !visible(rows.front().integer(1))) return {};
        TRY(auto tags, session_.run(select_states, {rows.front().integer(0), after, until, room()}));
        found_.reserve(found_.size() + tags.size());
        for (auto& row : tags) {
            TRY(auto digest, Digest::parse(row.text(1)));
            found_.push_back({{{repository, row.take_text(0)}, std::move(digest)}, row.integer(2)});
        }
        return {};
    }

    // All repositories after one and, where that isn't empty, before another.
    Result<> read_between(const std::string& after, const std::string& before)
    {
        if (room() <= 0) return {};
        if (!projects_) return append(between(after, before, std::nullopt));
        return append(of_each_group(*projects_, [&](Ids some) { return between(after, before, some); }));
    }

    std::vector<FoundState> take() { return std::move(found_); }

private:
    std::int64_t room() const { return limit_ - std::ssize(found_); }

    Result<> append(Result<std::vector<FoundState>> more)
    {
        CHECK(more);
        std::ranges::sort(*more, {}, [](const FoundState& each) -> const TagPlace& { return each.state.place; });
        const auto count = std::min(static_cast<std::int64_t>(more->size()), room());
        std::ranges::move(more->begin(), more->begin() + count, std::back_inserter(found_));
        return {};
    }

    // CROSS JOIN: in the order of the two keys, so that a page costs what it holds.
    Result<std::vector<FoundState>>
    between(const std::string& after, const std::string& before, std::optional<Ids> projects)
    {
        ListStatement list{
            "r.name, t.name, m.digest, m.id",
            "repositories r CROSS JOIN tags t CROSS JOIN manifests m",
            {},
        };
        list.where("t.repository_id = r.id AND m.id = t.manifest_id");
        list.where("r.name > ?", {after});
        if (!before.empty()) list.where("r.name < ?", {before});
        if (projects) list.where_one_of("r.project_id", *projects);
        list.order_by("r.name, t.name");
        ListQuery query;
        query.limit = room();
        CHECK(list.apply(query));
        TRY(auto rows, list.page(session_));
        std::vector<FoundState> found;
        found.reserve(rows.size());
        for (auto& row : rows) {
            TRY(auto digest, Digest::parse(row.text(2)));
            found.push_back({{{row.take_text(0), row.take_text(1)}, std::move(digest)}, row.integer(3)});
        }
        return found;
    }

    SqlSession& session_;
    const ProjectIds& projects_;
    const std::int64_t limit_;
    std::vector<FoundState> found_;
};

// The rest of the first repository, those between, and the beginning of the last one: each along an index, as one
// condition for all would not be where a repository has many tags.
Result<std::vector<FoundState>> read_range(SqlSession& session, const ProjectIds& projects, const TagRange& range)
{
    const auto& after = range.after;
    const auto& until = range.until;
    const bool bounded = !until.repository.empty();
    const bool within_one = bounded && after.repository == until.repository;
    StateReader reader{session, projects, range.limit};
    if (!after.repository.empty()) {
        CHECK(reader.read_one(after.repository, after.tag, within_one ? until.tag : after_all_tags));
    }
    if (within_one || (bounded && until < after)) return reader.take();
    CHECK(reader.read_between(after.repository, until.repository));
    if (bounded && !until.tag.empty()) CHECK(reader.read_one(until.repository, "", until.tag));
    return reader.take();
}

constexpr std::size_t most_referrers = 100'000;  // of one answer, so that nobody fills the memory with them

struct Referring {
    std::int64_t subject = 0;
    std::int64_t id = 0;
    std::string digest;
};

Result<std::vector<Referring>> referring_to(SqlSession& session, Ids subjects)
{
    ListStatement list{
        "m.id, s.id, s.digest",
        "manifests m JOIN manifests s ON s.repository_id = m.repository_id AND s.subject_digest = m.digest",
        {},
    };
    list.where_one_of("m.id", subjects);
    list.order_by("m.id, s.id");
    ListQuery query;
    query.limit = most_referrers + 1;
    CHECK(list.apply(query));
    TRY(auto rows, list.page(session));
    std::vector<Referring> found;
    found.reserve(rows.size());
    for (auto& row : rows) found.push_back({row.integer(0), row.integer(1), row.take_text(2)});
    return found;
}

// Level by level. A manifest has one subject at most, so that on each level it belongs to one of the tags' manifests.
Result<> add_referrers(SqlSession& session, std::span<FoundState> states)
{
    std::unordered_map<std::int64_t, std::int64_t> level;  // the manifest that a tag points at, by what leads to it
    for (const auto& each : states) level.emplace(each.manifest_id, each.manifest_id);
    std::unordered_map<std::int64_t, std::vector<std::string>> digests;
    std::size_t referrers = 0;
    for (int depth = 0; depth < tags_referrers_deep && !level.empty(); ++depth) {
        std::vector<std::int64_t> subjects;
        subjects.reserve(level.size());
        for (const auto& [id, root] : level) subjects.push_back(id);
        std::ranges::sort(subjects);
        TRY(auto found, of_each_group(subjects, [&](Ids some) -> Result<std::vector<Referring>> {
                TRY(auto part, referring_to(session, some));
                referrers += part.size();
                if (referrers > most_referrers)
                    return fail(Errc::unsupported, "too much refers to what these tags name");
                return part;
            }));
        std::unordered_map<std::int64_t, std::int64_t> next;
        for (auto& each : found) {
            const auto root = level.at(each.subject);
            digests[root].push_back(std::move(each.digest));
            next.emplace(each.id, root);
        }
        level = std::move(next);
    }
    std::unordered_map<std::int64_t, Digest> sums;
    for (auto& [root, all] : digests) sums.emplace(root, digest_of_referrers(std::move(all)));
    for (auto& each : states) {
        if (const auto sum = sums.find(each.manifest_id); sum != sums.end()) each.state.referrers = sum->second;
    }
    return {};
}

}  // namespace

Result<std::vector<TagState>> list_tag_states(SqlSession& session, const ProjectIds& projects, const TagRange& range)
{
    if (range.limit <= 0) return std::vector<TagState>{};
    TRY(auto found, read_range(session, projects, range));
    if (range.with_referrers) CHECK(add_referrers(session, found));
    std::vector<TagState> states;
    states.reserve(found.size());
    for (auto& each : found) states.push_back(std::move(each.state));
    return states;
}

}  // namespace entrepot
