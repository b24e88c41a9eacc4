#include "drivers/sql/artifact_labels.hpp"

#include "drivers/sql/artifact_text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

namespace entrepot {

namespace {

constexpr std::size_t most_at_once = 256;     // artifacts in one statement
constexpr std::size_t most_kept = 64;         // labels in an artifact's row
constexpr std::size_t most_refreshed = 2000;  // artifacts in one transaction

constexpr SqlStatement lock_artifact{"SELECT manifest_id FROM artifacts WHERE manifest_id = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement lock_carriers{
    "SELECT manifest_id FROM artifacts WHERE manifest_id IN "
    "(SELECT manifest_id FROM artifact_labels WHERE label_id = $1) ORDER BY manifest_id LIMIT $2",
    "FOR NO KEY UPDATE"
};
constexpr SqlStatement forget_shown{"UPDATE artifacts SET labels = NULL WHERE manifest_id IN "
                                    "(SELECT manifest_id FROM artifact_labels WHERE label_id = $1)"};

using Chunk = std::span<const std::int64_t>;

// One text for each power of two of artifacts; what is missing to it is filled up with the last one.
using Texts = std::array<std::string, std::bit_width(most_at_once)>;

Texts texts_of(const std::function<std::string(std::size_t)>& of_count)
{
    Texts texts;
    for (std::size_t i = 0; i < texts.size(); ++i) texts.at(i) = of_count(std::size_t{1} << i);
    return texts;
}

SqlStatement selection_for(std::size_t count)
{
    static const Texts texts = texts_of([](std::size_t size) {
        std::string list;
        for (std::size_t i = 1; i <= size; ++i) list += (i > 1 ? ", $" : "$") + std::to_string(i);
        return "SELECT l.id, l.name, l.description, l.color, l.scope, l.project_id, l.created_at, l.updated_at, "
               "x.manifest_id FROM artifact_labels x JOIN labels l ON l.id = x.label_id WHERE x.manifest_id IN (" +
               list + ") ORDER BY x.manifest_id, l.id";
    });
    return SqlStatement{texts.at(static_cast<std::size_t>(std::countr_zero(std::bit_ceil(count)))).c_str()};
}

SqlStatement update_for(std::size_t count)
{
    static const Texts texts = texts_of([](std::size_t size) {
        std::string values;
        for (std::size_t i = 0; i < size; ++i) {
            values += (i > 0 ? ", " : "") + std::string{"(CAST($"} + std::to_string(2 * i + 1) + " AS BIGINT), CAST($" +
                      std::to_string(2 * i + 2) + " AS TEXT))";
        }
        return "UPDATE artifacts SET labels = v.column2 FROM (VALUES " + values +
               ") AS v WHERE artifacts.manifest_id = v.column1";
    });
    return SqlStatement{texts.at(static_cast<std::size_t>(std::countr_zero(std::bit_ceil(count)))).c_str()};
}

// What `take` gets is an artifact and its labels, none being an empty list.
Result<>
read_chunk(SqlSession& session, Chunk ids, const std::function<void(std::int64_t, std::span<const SqlRow>)>& take)
{
    std::vector<SqlParameter> parameters{ids.begin(), ids.end()};
    parameters.resize(std::bit_ceil(ids.size()), parameters.back());
    TRY(const auto rows, session.run_with(selection_for(ids.size()), parameters));
    const auto artifact_of = [](const SqlRow& row) { return row.integer(8); };
    for (const auto id : ids) {
        take(id, std::ranges::equal_range(rows, id, {}, artifact_of));
    }
    return {};
}

Result<> refresh_chunk(SqlSession& session, Chunk ids)
{
    std::vector<std::string> texts;
    texts.reserve(ids.size());
    std::vector<SqlParameter> parameters;
    const auto take = [&](std::int64_t id, std::span<const SqlRow> labels) {
        parameters.emplace_back(id);
        if (labels.size() > most_kept) {
            parameters.emplace_back(std::monostate{});
        } else {
            parameters.emplace_back(std::string_view{texts.emplace_back(labels_text(labels))});
        }
    };
    CHECK(read_chunk(session, ids, take));
    const auto last = parameters.size() - 2;
    while (parameters.size() < 2 * std::bit_ceil(ids.size())) {
        parameters.push_back(parameters[last]);
        parameters.push_back(parameters[last + 1]);
    }
    CHECK(session.run_with(update_for(ids.size()), parameters));
    return {};
}

}  // namespace

Result<> refresh_artifact_labels(SqlSession& session, std::int64_t manifest_id)
{
    CHECK(session.run(lock_artifact, {manifest_id}));
    return refresh_chunk(session, {&manifest_id, 1});
}

Result<> LabelCarriers::hold()
{
    TRY(const auto rows, session_.run(lock_carriers, {label_id_, std::int64_t{most_refreshed + 1}}));
    if (rows.size() > most_refreshed) {
        CHECK(session_.run(forget_shown, {label_id_}));
        return {};
    }
    for (const SqlRow& row : rows) held_.push_back(row.integer(0));
    return {};
}

Result<> LabelCarriers::show()
{
    for (std::size_t at = 0; at < held_.size(); at += most_at_once) {
        CHECK(refresh_chunk(session_, Chunk{held_}.subspan(at, std::min(most_at_once, held_.size() - at))));
    }
    return {};
}

Result<std::map<std::int64_t, std::string>>
read_artifact_labels(SqlSession& session, std::span<const std::int64_t> manifest_ids)
{
    std::map<std::int64_t, std::string> texts;
    const auto take = [&](std::int64_t id, std::span<const SqlRow> labels) { texts[id] = labels_text(labels); };
    for (std::size_t at = 0; at < manifest_ids.size(); at += most_at_once) {
        CHECK(read_chunk(session, manifest_ids.subspan(at, std::min(most_at_once, manifest_ids.size() - at)), take));
    }
    return texts;
}

}  // namespace entrepot
