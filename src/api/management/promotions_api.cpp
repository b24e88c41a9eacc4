#include "api/management/promotions_api.hpp"

#include "api/management/project_of.hpp"
#include "api/management/promotion_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

void note(const ApiCall& call, const ProjectAccess& project, std::string_view type, const std::string& resource)
{
    call.audit->resource_type = type;
    call.audit->resource = project.name + "/" + resource;
    call.audit->project_id = project.id;
    call.audit->tenant_id = project.tenant_id;
}

// Of a promotion that is there.
void note_change(const ApiCall& call, const ProjectAccess& project)
{
    note(call, project, "promotion", call.path.at(1));
    call.audit->operation = "update";
}

void note_promotion(const ApiCall& call, const ProjectAccess& project, const Promotion& promotion)
{
    note(call, project, "promotion", std::to_string(promotion.id));
    call.audit->after = json::serialize(promotion_json(promotion, true));
}

// By its name or its id.
Result<std::shared_ptr<const ProjectAccess>>
target_of(const ApiCall& call, const AccessPolicy& policy, const JsonBody& body)
{
    TRY(const auto id, body.optional_integer("target_project_id"));
    if (id) return require_project(policy, call.caller, policy.project(*id));
    TRY(const auto name, body.text("target_project"));
    return require_project(policy, call.caller, policy.project(name));
}

Task<std::string> comment_of(ByteSource& source)
{
    CO_TRY(auto text, co_await read_all(source, 16 * 1024));
    if (text.empty()) co_return text;
    boost::system::error_code error;
    auto value = json::parse(text, error);
    if (error || !value.is_object()) co_return fail(Errc::bad_request, "the body is no JSON object");
    CO_TRY(auto comment, JsonBody{std::move(value.as_object())}.optional_text("comment"));
    if (comment && comment->size() > 4096) co_return fail(Errc::bad_request, "the comment is longer than 4096 bytes");
    co_return std::move(comment).value_or("");
}

}  // namespace

void PromotionsApi::add_to(ApiRouter& router)
{
    constexpr auto policies = "projects/{project_name_or_id}/promotionpolicies";
    constexpr auto policy = "projects/{project_name_or_id}/promotionpolicies/{promotion_policy_id}";
    router.get(policies, [this](ApiCall call) { return list_policies(std::move(call)); });
    router.post(policies, [this](ApiCall call) { return create_policy(std::move(call)); });
    router.get(policy, [this](ApiCall call) { return read_policy(std::move(call)); });
    router.put(policy, [this](ApiCall call) { return update_policy(std::move(call)); });
    router.del(policy, [this](ApiCall call) { return remove_policy(std::move(call)); });
    constexpr auto all = "projects/{project_name_or_id}/promotions";
    router.get(all, [this](ApiCall call) { return list(std::move(call)); });
    router.post(all, [this](ApiCall call) { return request(std::move(call)); });
    router.post("projects/{project_name_or_id}/promotions/plan", [this](ApiCall call) {
        return plan(std::move(call));
    });
    router.get("projects/{project_name_or_id}/promotions/{promotion_id}", [this](ApiCall call) {
        return read(std::move(call));
    });
    router.post("projects/{project_name_or_id}/promotions/{promotion_id}/approve", [this](ApiCall call) {
        return decide(std::move(call), true);
    });
    router.post("projects/{project_name_or_id}/promotions/{promotion_id}/reject", [this](ApiCall call) {
        return decide(std::move(call), false);
    });
    router.post("projects/{project_name_or_id}/promotions/{promotion_id}/cancel", [this](ApiCall call) {
        return cancel(std::move(call));
    });
    router.post("projects/{project_name_or_id}/promotions/{promotion_id}/execute", [this](ApiCall call) {
        return execute(std::move(call));
    });
}

Task<Response> PromotionsApi::list_policies(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await promotions_.policies(call.caller, project->id, query));
    json::array listed;
    for (const auto& policy : page.items) listed.push_back(promotion_policy_json(policy));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> PromotionsApi::create_policy(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, "promotion-policy", "");
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto target, target_of(call, policy_, body));
    CO_TRY(auto policy, promotion_policy_of(body));
    policy.project_id = project->id;
    policy.project = project->name;
    policy.target_project_id = target->id;
    policy.target_project = target->name;
    CO_TRY(policy.id, co_await promotions_.create_policy(call.caller, policy));
    note(call, *project, "promotion-policy", std::to_string(policy.id));
    call.audit->after = json::serialize(promotion_policy_json(policy));
    co_return created_response(std::string{call.request.path} + "/" + std::to_string(policy.id));
}

Task<Response> PromotionsApi::read_policy(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto policy, co_await promotions_.policy(call.caller, project->id, id));
    co_return json_response(promotion_policy_json(policy));
}

Task<Response> PromotionsApi::update_policy(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, "promotion-policy", call.path.at(1));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto target, target_of(call, policy_, body));
    CO_TRY(auto policy, promotion_policy_of(body));
    policy.id = id;
    policy.project_id = project->id;
    policy.project = project->name;
    policy.target_project_id = target->id;
    policy.target_project = target->name;
    call.audit->after = json::serialize(promotion_policy_json(policy));
    CO_TRY(const auto before, co_await promotions_.change_policy(call.caller, std::move(policy)));
    call.audit->before = json::serialize(promotion_policy_json(before));
    co_return Response{};
}

Task<Response> PromotionsApi::remove_policy(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, "promotion-policy", call.path.at(1));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto removed, co_await promotions_.remove_policy(call.caller, project->id, id));
    call.audit->before = json::serialize(promotion_policy_json(removed));
    co_return Response{};
}

Task<Response> PromotionsApi::list(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await promotions_.list(call.caller, project->id, query));
    json::array listed;
    for (const auto& promotion : page.items) listed.push_back(promotion_json(promotion, false));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> PromotionsApi::request(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, "promotion", "");
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto order, promotion_order_of(body, *project));
    CO_TRY(const auto promotion, co_await promotions_.request(call.caller, std::move(order)));
    note_promotion(call, *project, promotion);
    auto response = json_response(promotion_json(promotion, true), 201);
    response.add("Location", "/api/v2.0/projects/" + project->name + "/promotions/" + std::to_string(promotion.id));
    co_return response;
}

Task<Response> PromotionsApi::plan(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, "promotion", "plan");
    call.audit->operation = "read";
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto order, promotion_order_of(body, *project));
    CO_TRY(const auto plan, co_await promotions_.plan(call.caller, std::move(order)));
    co_return json_response(promotion_plan_json(plan));
}

Task<Response> PromotionsApi::read(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto promotion, co_await promotions_.find(call.caller, project->id, id));
    co_return json_response(promotion_json(promotion, true));
}

Task<Response> PromotionsApi::decide(ApiCall call, bool approves)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note_change(call, *project);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(auto comment, co_await comment_of(call.body));
    CO_TRY(const auto promotion, co_await promotions_.vote(call.caller, project->id, id, approves, std::move(comment)));
    note_promotion(call, *project, promotion);
    co_return json_response(promotion_json(promotion, true));
}

Task<Response> PromotionsApi::cancel(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note_change(call, *project);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto promotion, co_await promotions_.cancel(call.caller, project->id, id));
    note_promotion(call, *project, promotion);
    co_return json_response(promotion_json(promotion, true));
}

Task<Response> PromotionsApi::execute(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note_change(call, *project);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto promotion, co_await promotions_.execute(call.caller, project->id, id));
    note_promotion(call, *project, promotion);
    co_return json_response(promotion_json(promotion, true));
}

}  // namespace entrepot
