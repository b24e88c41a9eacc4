#include "exchange/replication/replication_event.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

namespace entrepot {

namespace json = boost::json;

std::string ReplicationEvent::parameters(std::int64_t policy_id) const
{
    json::array list;
    for (const auto& reference : references) list.push_back(json::value(reference));
    return json::serialize(json::object{
        {"policy_id", policy_id},
        {"user_id", 0},
        {"event",
         json::object{
             {"sequence", sequence},
             {"at", at},
             {"repository", repository},
             {"references", std::move(list)},
             {"digest", digest},
             {"subject", subject},
             {"bytes", bytes},
             {"removal", removal},
         }},
    });
}

Result<std::optional<ReplicationEvent>> ReplicationEvent::parse(std::string_view parameters)
{
    try {
        const auto document = json::parse(json::string_view{parameters.data(), parameters.size()});
        const auto* found = document.as_object().if_contains("event");
        if (found == nullptr) return std::nullopt;
        const auto& object = found->as_object();
        return ReplicationEvent{
            .sequence = object.at("sequence").as_int64(),
            .at = object.at("at").as_int64(),
            .repository = json::value_to<std::string>(object.at("repository")),
            .references = json::value_to<std::vector<std::string>>(object.at("references")),
            .digest = json::value_to<std::string>(object.at("digest")),
            .subject = json::value_to<std::string>(object.at("subject")),
            .bytes = object.at("bytes").as_int64(),
            .removal = object.at("removal").as_bool(),
        };
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "the event of a replication can't be read", thrown.what());
    }
}

}  // namespace entrepot
