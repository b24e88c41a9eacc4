#include "events/feed/event_json.hpp"

#include "events/audit/audit_format.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {

std::string event_json(const Event& event)
{
    auto text = boost::json::serialize(boost::json::object{
        {"id", event.sequence},
        {"type", event.type},
        {"occurred_at", audit_time(event.at)},
        {"tenant_id", event.tenant_id},
        {"project_id", event.project_id},
        {"project", event.project},
        {"repository", event.repository},
        {"digest", event.digest},
        {"tag", event.tag},
        {"media_type", event.media_type},
        {"size", event.size},
        {"user_id", event.user_id},
        {"user", event.user},
        {"count", event.count},
    });
    // The details are JSON already.
    text.pop_back();
    return text + R"(,"details":)" + event.details + "}";
}

}  // namespace entrepot
