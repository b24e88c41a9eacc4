#include "upkeep/retention/retention_order.hpp"

#include "oci/json_fields.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

bool flag_in(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

Result<RetentionOrder> RetentionOrder::parse(std::string_view text)
{
    const auto object = parse_object(text);
    if (!object) return fail(Errc::corrupt, "the parameters of a retention job make no sense", std::string{text});
    return RetentionOrder{
        .policy_id = find_integer(*object, "policy_id"),
        .user_id = find_integer(*object, "user_id"),
        .dry_run = flag_in(*object, "dry_run"),
        .confirm_all = flag_in(*object, "confirm_all"),
    };
}

std::string RetentionOrder::json() const
{
    return json::serialize(
        json::object{{"policy_id", policy_id}, {"user_id", user_id}, {"dry_run", dry_run}, {"confirm_all", confirm_all}}
    );
}

RetentionProgress RetentionProgress::parse(std::string_view text)
{
    const auto object = parse_object(text);
    if (!object) return {};
    return {
        .after = std::string{find_text(*object, "after")},
        .repositories = find_integer(*object, "repositories"),
        .total = find_integer(*object, "total"),
        .retained = find_integer(*object, "retained"),
        .removed = find_integer(*object, "removed"),
        .artifacts = find_integer(*object, "artifacts"),
        .spared = find_integer(*object, "spared"),
    };
}

std::string RetentionProgress::json() const
{
    return json::serialize(json::object{
        {"after", after},
        {"repositories", repositories},
        {"total", total},
        {"retained", retained},
        {"removed", removed},
        {"artifacts", artifacts},
        {"spared", spared},
    });
}

}  // namespace entrepot
