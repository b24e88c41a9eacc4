#include "exchange/replication_job.hpp"

#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

namespace entrepot {

namespace json = boost::json;

std::string ReplicationOrder::json() const
{
    return json::serialize(json::object{{"policy_id", policy_id}, {"user_id", user_id}});
}

Result<ReplicationOrder> ReplicationOrder::parse(std::string_view text)
{
    try {
        const auto value = json::parse(text);
        const auto& object = value.as_object();
        return ReplicationOrder{
            .policy_id = object.at("policy_id").to_number<std::int64_t>(),
            .user_id = object.at("user_id").to_number<std::int64_t>(),
        };
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "the order of a replication can't be read", thrown.what());
    }
}

std::string ReplicationTask::json() const
{
    json::array list;
    for (const auto& reference : references) list.emplace_back(reference);
    json::object object{
        {"policy_id", policy_id},
        {"source_id", source_id},
        {"target_id", target_id},
        {"source_repository", source_repository},
        {"target_repository", target_repository},
        {"references", std::move(list)},
        {"removal", removal},
    };
    if (removal) object["digest"] = digest;
    return json::serialize(object);
}

Result<ReplicationTask> ReplicationTask::parse(std::string_view text)
{
    try {
        const auto value = json::parse(text);
        const auto& object = value.as_object();
        const auto end = [&](std::string_view name) {
            const auto* const value = object.if_contains(name);
            return value == nullptr ? unknown_end : value->to_number<std::int64_t>();
        };
        const auto* const digest = object.if_contains("digest");
        return ReplicationTask{
            .policy_id = object.at("policy_id").to_number<std::int64_t>(),
            .source_id = end("source_id"),
            .target_id = end("target_id"),
            .source_repository = json::value_to<std::string>(object.at("source_repository")),
            .target_repository = json::value_to<std::string>(object.at("target_repository")),
            .references = json::value_to<std::vector<std::string>>(object.at("references")),
            .removal = object.at("removal").as_bool(),
            .digest = digest == nullptr ? std::string{} : json::value_to<std::string>(*digest),
        };
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "a task of a replication can't be read", thrown.what());
    }
}

std::string ReplicationTally::json() const
{
    json::object object{{"copied", copied}, {"skipped", skipped}, {"failed", failed}, {"bytes", bytes}};
    if (!error.empty()) object["error"] = error;
    return json::serialize(object);
}

ReplicationTally ReplicationTally::parse(std::string_view text)
{
    ReplicationTally tally;
    if (text.empty()) return tally;
    if (const auto object = parse_object(text)) return of(*object);
    tally.error = text;
    return tally;
}

ReplicationTally ReplicationTally::of(const json::object& object)
{
    ReplicationTally tally;
    tally.copied = find_integer(object, "copied");
    tally.skipped = find_integer(object, "skipped");
    tally.failed = find_integer(object, "failed");
    tally.bytes = find_integer(object, "bytes");
    tally.error = find_text(object, "error");
    return tally;
}

}  // namespace entrepot
