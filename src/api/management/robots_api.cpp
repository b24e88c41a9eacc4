#include "api/management/robots_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/robot_json.hpp"
#include "core/ascii.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

// Whose robots a list is of. Harbor's clients say it by conditions of q: "Level=project,ProjectID=7".
struct RobotHome {
    RobotLevel level = RobotLevel::system;
    std::int64_t id = 0;
};

// Takes the condition out of the query; nullopt when it is not there.
Result<std::optional<std::string>> take_condition(ListQuery& query, std::string_view field)
{
    const auto found = std::ranges::find_if(query.conditions, [&](const ListCondition& condition) {
        return same_word(condition.field, field);
    });
    if (found == query.conditions.end()) return std::optional<std::string>{};
    if (found->kind != ListCondition::Kind::equal || found->values.size() != 1) {
        return fail(Errc::bad_request, std::string{field} + " has one value");
    }
    auto value = std::optional{std::move(found->values.front())};
    query.conditions.erase(found);
    return value;
}

Result<RobotHome> take_home(ListQuery& query)
{
    RobotHome home;
    TRY(const auto level, take_condition(query, "Level"));
    TRY(const auto project, take_condition(query, "ProjectID"));
    TRY(const auto tenant, take_condition(query, "TenantID"));
    if (level) {
        TRY(home.level, robot_level_of(*level));
    }
    if (home.level == RobotLevel::system) return home;
    const auto& id = home.level == RobotLevel::project ? project : tenant;
    if (!id) return fail(Errc::bad_request, "q must say which ProjectID or TenantID");
    TRY(home.id, parse_id(*id));
    return home;
}

Response secret_answer(Response response, const json::object& object)
{
    response.add("Content-Type", "application/json");
    response.add("Cache-Control", "no-store");
    response.body = json::serialize(object);
    return response;
}

}  // namespace

void RobotsApi::add_to(ApiRouter& router)
{
    router.get("robots", [this](ApiCall call) { return list(std::move(call)); });
    router.post("robots", [this](ApiCall call) { return create(std::move(call)); });
    router.get("robots/{robot_id}", [this](ApiCall call) { return one(std::move(call)); });
    router.put("robots/{robot_id}", [this](ApiCall call) { return change(std::move(call)); });
    router.patch("robots/{robot_id}", [this](ApiCall call) { return rotate(std::move(call)); });
    router.del("robots/{robot_id}", [this](ApiCall call) { return remove(std::move(call)); });
    router.get("permissions", [this](ApiCall call) { return permissions(std::move(call)); });
}

void RobotsApi::note(const ApiCall& call, const Robot& robot) const
{
    call.audit->resource_type = "robot";
    call.audit->resource = robot.name;
    call.audit->project_id = robot.project_id;
    call.audit->tenant_id = robot.tenant_id;
    if (const auto project = policy_.project(robot.project_id)) call.audit->tenant_id = project->tenant_id;
}

Task<Response> RobotsApi::list(ApiCall call)
{
    CO_TRY(auto query, list_query_of(call.query));
    CO_TRY(const auto home, take_home(query));
    CO_TRY(const auto page, co_await robots_.list(call.caller, home.level, home.id, query));
    json::array items;
    for (const auto& robot : page.items) items.push_back(robot_json(robot));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> RobotsApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    RobotOrder order;
    CO_TRY(order.name, body.text("name"));
    call.audit->resource_type = "robot";
    call.audit->resource = order.name;
    CO_TRY(const auto level, body.text("level"));
    CO_TRY(order.level, robot_level_of(level));
    CO_TRY(auto description, body.optional_text("description"));
    order.description = std::move(description).value_or("");
    CO_TRY(const auto disabled, body.optional_boolean("disable"));
    order.disabled = disabled.value_or(false);
    CO_TRY(const auto days, body.optional_integer("duration"));
    order.days = days.value_or(0);
    CO_TRY(order.permissions, robot_permissions_of(body));
    CO_TRY(const auto made, co_await robots_.create(call.caller, std::move(order)));
    note(call, made.robot);
    call.audit->after = json::serialize(robot_json(made.robot));
    const json::object answer{
        {"id", made.robot.id},
        {"name", made.robot.name},
        {"secret", made.secret},
        {"creation_time", rfc3339(made.robot.created_at)},
        {"expires_at", robot_expiry(made.robot)},
    };
    co_return secret_answer(created_response("/api/v2.0/robots/" + std::to_string(made.robot.id)), answer);
}

Task<Response> RobotsApi::one(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto robot, co_await robots_.find(call.caller, id));
    co_return json_response(robot_json(robot));
}

Task<Response> RobotsApi::change(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    call.audit->resource_type = "robot";
    call.audit->resource = call.path.at(0);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    RobotWish wish;
    CO_TRY(wish.name, body.optional_text("name"));
    CO_TRY(const auto level, body.optional_text("level"));
    if (level) {
        CO_TRY(wish.level, robot_level_of(*level));
    }
    CO_TRY(wish.description, body.optional_text("description"));
    CO_TRY(wish.disabled, body.optional_boolean("disable"));
    CO_TRY(wish.days, body.optional_integer("duration"));
    if (body.has("permissions")) {
        CO_TRY(wish.permissions, robot_permissions_of(body));
    }
    CO_TRY(const auto changed, co_await robots_.change(call.caller, id, std::move(wish)));
    note(call, changed.after);
    call.audit->before = json::serialize(robot_json(changed.before));
    call.audit->after = json::serialize(robot_json(changed.after));
    co_return Response{};
}

Task<Response> RobotsApi::rotate(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    call.audit->resource_type = "robot";
    call.audit->resource = call.path.at(0);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto given, body.optional_text("secret"));
    CO_TRY(const auto seconds, body.optional_integer("overlap_seconds"));
    const auto overlap = seconds ? std::chrono::seconds{*seconds} : std::chrono::seconds{Robots::usual_overlap};
    const bool makes_one = !given || given->empty();
    CO_TRY(
        const auto rotated, co_await robots_.rotate(call.caller, id, std::move(given).value_or(std::string{}), overlap)
    );
    note(call, rotated.robot);
    call.audit->detail = "a new secret";
    // One that the caller chose is not repeated to them, as in Harbor.
    co_return secret_answer(Response{}, {{"secret", makes_one ? rotated.secret : std::string{}}});
}

Task<Response> RobotsApi::remove(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    call.audit->resource_type = "robot";
    call.audit->resource = call.path.at(0);
    CO_TRY(const auto robot, co_await robots_.remove(call.caller, id));
    note(call, robot);
    call.audit->before = json::serialize(robot_json(robot));
    co_return Response{};
}

Task<Response> RobotsApi::permissions(ApiCall)
{
    static const auto text = json::serialize(grantable_json());
    Response response;
    response.add("Content-Type", "application/json");
    response.body = text;
    co_return response;
}

}  // namespace entrepot
