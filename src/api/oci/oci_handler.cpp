#include "api/oci/oci_handler.hpp"

#include "access/scope.hpp"
#include "api/error_answer.hpp"
#include "core/ascii.hpp"
#include "core/log.hpp"
#include "core/percent.hpp"

#include <string>

namespace entrepot {
namespace {

using Kind = OciRoute::Kind;

constexpr int most_renames_met = 8;  // by one pull

// Which methods a route has, and what each needs; the first row that fits counts.
struct Rule {
    Kind kind;
    Method method;
    Action action;
};
constexpr Rule rules[] = {
    {Kind::manifest, Method::get, Action::pull},
    {Kind::manifest, Method::head, Action::pull},
    {Kind::manifest, Method::put, Action::push},
    {Kind::manifest, Method::del, Action::remove},
    {Kind::blob, Method::get, Action::pull},
    {Kind::blob, Method::head, Action::pull},
    {Kind::blob, Method::del, Action::remove},
    {Kind::tags, Method::get, Action::pull},
    {Kind::tags, Method::head, Action::pull},
    {Kind::referrers, Method::get, Action::pull},
    {Kind::referrers, Method::head, Action::pull},
    {Kind::uploads, Method::post, Action::push},
    {Kind::upload, Method::get, Action::push},
    {Kind::upload, Method::head, Action::push},
    {Kind::upload, Method::patch, Action::push},
    {Kind::upload, Method::put, Action::push},
    {Kind::upload, Method::del, Action::push},
};

std::optional<Action> action_for(Kind kind, Method method)
{
    for (const auto& rule : rules) {
        if (rule.kind == kind && rule.method == method) return rule.action;
    }
    return std::nullopt;
}

std::string_view allowed_methods(Kind kind)
{
    switch (kind) {
        case Kind::manifest: return "GET, HEAD, PUT, DELETE";
        case Kind::blob: return "GET, HEAD, DELETE";
        case Kind::uploads: return "POST";
        case Kind::upload: return "GET, HEAD, PATCH, PUT, DELETE";
        case Kind::base:
        case Kind::catalog:
        case Kind::tags:
        case Kind::referrers: return "GET, HEAD";
    }
    return "";
}

Response empty_object()
{
    Response response;
    response.headers = "Content-Type: application/json\r\nDocker-Distribution-Api-Version: registry/2.0\r\n";
    response.body = std::string{"{}"};
    return response;
}

void log_if_ours(const Request& request, const Error& error)
{
    if (status_of(error.code()) < 500) return;
    log::failure(log::Level::error, "request failed", error, request.request_id());
}

// What a token must name for this request: a mount reads from its source as well.
std::string scope_of(const Request& request, const OciRoute& route, Action action)
{
    auto scope = scope_for(route.name, action);
    if (route.kind != Kind::uploads || request.query.empty()) return scope;
    const auto query = Query::of(request);
    const auto source = query && query->first("mount") ? query->first("from") : std::nullopt;
    if (source && RepositoryName::parse(*source)) scope += " " + scope_for(*source, Action::pull);
    return scope;
}

bool is_missing(const Error& error)
{
    const auto code = error.code();
    return code == Errc::name_unknown || code == Errc::manifest_unknown || code == Errc::blob_unknown;
}

// Whether another source is asked after one that answers with this error. Of one that can't answer, or refuses, nobody
// knows whether it has the tag: another's image must not take its place, unless it `may_be_passed_over`. What a digest
// names is the same wherever it is.
bool may_be_elsewhere(const Error& error, bool may_be_passed_over)
{
    if (is_missing(error)) return true;
    const auto code = error.code();
    const auto status = status_of(code);
    const bool has_trouble = status >= 500 || status == 429 || code == Errc::quota_exceeded || code == Errc::denied;
    return may_be_passed_over && has_trouble;
}

std::vector<AccessPolicy::Source> ours_first(std::vector<AccessPolicy::Source> sources)
{
    std::vector<AccessPolicy::Source> sorted;
    for (const bool proxies : {false, true}) {
        for (const auto& source : sources) {
            if (source.proxy == proxies) sorted.push_back(source);
        }
    }
    return sorted;
}

// Who pushes asks what is in the repository itself, before and after: what a source has need not be there.
bool is_pusher(const Caller& caller, std::string_view repository)
{
    return caller.scopes && (caller.scopes->actions_on(repository) & bit(Action::push)) != 0;
}

// The answer says which registry's name space it is of.
void sign_as_mirror(Response& answer, const std::optional<Mirrors::Found>& mirrored)
{
    if (mirrored && answer.status < 400) answer.add("OCI-Namespace", mirrored->host);
}

// Digests are sometimes sent with their colon escaped; names never are.
std::optional<std::string> unescaped(std::string_view last)
{
    auto decoded = percent_decoded(last);
    if (!decoded || decoded->find('/') != std::string::npos) return std::nullopt;
    return decoded;
}

}  // namespace

std::optional<Response> OciHandler::peek(const Request& request) noexcept
{
    if (!is_read(request.method)) return std::nullopt;
    auto route = match_oci_route(request.path);
    if (!route || route->name.empty()) return std::nullopt;
    const auto mirrored = mirrors_.find(request, route->name);
    if (mirrored) route->name = mirrored->repository;
    auto answer = peek_route(request, *route);
    if (answer) sign_as_mirror(*answer, mirrored);
    return answer;
}

std::optional<Response> OciHandler::peek_route(const Request& request, const OciRoute& route)
{
    const auto caller = gate_.peek(request, route.name, Action::pull);
    if (!caller) return std::nullopt;
    const auto repository = RepositoryName::parse(route.name);
    if (!repository) return std::nullopt;
    using Order = AccessPolicy::SourceOrder;
    switch (route.kind) {
        case Kind::manifest:
            if (policy_.source_order(route.name) == Order::others_first) return std::nullopt;
            return reads_.peek_manifest(request, *caller, *repository, route.last);
        case Kind::blob: return reads_.peek_blob(request, *repository, route.last);
        case Kind::tags:
            if (policy_.source_order(route.name) != Order::alone) return std::nullopt;
            return lists_.peek_tags(request, *repository);
        default: return std::nullopt;
    }
}

asio::awaitable<Response> OciHandler::handle(const Request& request, ByteSource& body)
{
    auto route = match_oci_route(request.path);
    if (!route) co_return error_response(Error{Errc::not_found, "there is nothing at this path"});
    if (route->kind == Kind::base || route->kind == Kind::catalog) {
        if (!is_read(request.method)) co_return method_not_allowed(allowed_methods(route->kind));
        const bool is_base = route->kind == Kind::base;
        auto answer = is_base ? co_await base(request) : co_await catalog(request);
        if (answer) co_return *std::move(answer);
        co_return co_await refuse(request, *route, is_base ? "" : "registry:catalog:*", answer.error());
    }

    const auto action = action_for(route->kind, request.method);
    if (!action) co_return method_not_allowed(allowed_methods(route->kind));
    const auto last = unescaped(route->last);
    if (!last) co_return error_response(Error{Errc::bad_request, "the path is malformed"});
    route->last = *last;
    const auto mirrored = mirrors_.find(request, route->name);
    if (mirrored) route->name = mirrored->repository;
    auto answer = co_await by_any_name(request, body, *route, *action);
    if (!answer) co_return co_await refuse(request, *route, scope_of(request, *route, *action), answer.error());
    sign_as_mirror(*answer, mirrored);
    co_return *std::move(answer);
}

// Recorded first where it is a denial.
asio::awaitable<Response> OciHandler::refuse(const Request& request, OciRoute route, std::string scope, Error error)
{
    log_if_ours(request, error);
    if (error.code() == Errc::quota_exceeded) {
        quotas_.refused(std::string_view{route.name}.substr(0, route.name.find('/')), error.message());
    }
    co_await audit_.refused(request, route, gate_.recall(request), error);
    co_return gate_.refuse(request, error, scope);
}

Task<Response> OciHandler::base(const Request& request)
{
    // Clients learn from this 401 how to log in, so an anonymous one gets it even where anybody may pull.
    if (!request.header("authorization")) co_return fail(Errc::unauthorized, "authentication required");
    CO_CHECK(co_await gate_.identify(request));
    co_return empty_object();
}

Task<Response> OciHandler::catalog(const Request& request)
{
    CO_TRY(const auto caller, co_await gate_.identify(request));
    const bool in_scope = !caller.scopes || caller.scopes->catalog;
    if (!in_scope || !policy_.may_list_catalog(caller)) {
        co_return fail(Errc::unauthorized, "authentication required");
    }
    co_return co_await lists_.catalog(request, caller);
}

// Who pulls while its repository gets another name finds it, whatever it was that was missing by then.
Task<Response> OciHandler::by_any_name(const Request& request, ByteSource& body, OciRoute route, Action action)
{
    auto now = policy_.renamed(route.name);
    for (int i = 0;; ++i) {
        auto answer = now ? co_await by_former_name(request, body, route, action, *now)
                          : co_await in_repository(request, body, route, action);
        if (answer || action != Action::pull || i == most_renames_met) co_return answer;
        const auto code = answer.error().code();
        const bool missing =
            code == Errc::name_unknown || (code == Errc::blob_unknown && request.method == Method::get);
        if (missing) CO_CHECK(co_await catch_up_());
        auto then = policy_.renamed(route.name);
        if (then == now) co_return answer;
        now = std::move(then);
    }
}

// Whoever may not pull by the new name learns nothing of it.
Task<Response>
OciHandler::by_former_name(const Request& request, ByteSource& body, OciRoute route, Action action, std::string now)
{
    CO_TRY(const auto former, RepositoryName::parse(route.name));
    CO_TRY(auto repository, RepositoryName::parse(now));
    CO_TRY(auto caller, co_await gate_.admit_asked_as(request, former.text(), now));
    if (action != Action::pull) {
        co_return fail(Errc::denied, "the repository " + former.text() + " is called " + now + " now");
    }
    OciCall call{
        .request = request,
        .body = body,
        .repository = std::move(repository),
        .last = route.last,
        .caller = std::move(caller),
        .asked_as = former.text(),
    };
    CO_TRY(auto response, co_await serve(std::move(call), route, now));
    const bool elsewhere = response.headers.find("Content-Location: ") != std::string::npos;
    if (!elsewhere) response.add("Content-Location", "/v2/" + now + std::string{route.rest});
    response.add("Warning", "299 - \"the repository " + former.text() + " is called " + now + " now\"");
    co_return response;
}

// The epoch that the home of a follower says with what it sends; 0 for clients, who change nothing in one. Nor in a
// proxy cache, but that they may remove what it has.
Result<std::int64_t> OciHandler::judge_change(
    const Request& request, const RepositoryName& repository, const Caller& caller, Action action
) const
{
    const auto claimed = request.header("entrepot-home-epoch");
    const auto project = policy_.project(repository.project());
    if (action == Action::push && project && project->registry_id != 0) {
        return fail(
            Errc::unsupported, "the project " + project->name + " is a proxy cache: nothing can be pushed to it"
        );
    }
    const auto site = project && project->site ? *project->site : SiteState{};
    if (!claimed) {
        if (site.role == SiteRole::none || site.role == SiteRole::home) return 0;
        if (site.role == SiteRole::fenced) {
            return fail(Errc::denied, "another site has become the home of the project " + project->name);
        }
        return fail(Errc::denied, "the home of the project " + project->name + " is " + site.home + ": push there");
    }
    const auto epoch = parse_decimal(*claimed);
    if (!epoch || *epoch == 0) return fail(Errc::bad_request, "Entrepot-Home-Epoch is a positive number");
    const bool ours = site.role == SiteRole::follower && static_cast<std::uint64_t>(site.epoch) == *epoch &&
                      site.home == request.header("entrepot-home").value_or("") &&
                      site.home_user_id == caller.identity->user_id;
    if (ours) return site.epoch;
    return fail(
        Errc::precondition_failed,
        "the project " + std::string{repository.project()} + " does not follow this home by the epoch " +
            std::to_string(*epoch)
    );
}

Task<Response> OciHandler::in_repository(const Request& request, ByteSource& body, OciRoute route, Action action)
{
    CO_TRY(auto repository, RepositoryName::parse(route.name));
    CO_TRY(auto caller, co_await gate_.admit(request, repository.text(), action));
    if (action != Action::pull && settings_.read_only()) co_return fail(Errc::denied, "the registry is read-only");
    std::int64_t home_epoch = 0;
    if (action != Action::pull) {
        auto judged = judge_change(request, repository, caller, action);
        if (!judged && (judged.error().code() == Errc::denied || judged.error().code() == Errc::precondition_failed)) {
            // Another instance may have heard of a new home just now.
            CO_CHECK(co_await catch_up_());
            judged = judge_change(request, repository, caller, action);
        }
        CO_TRY(home_epoch, std::move(judged));
    }
    const auto change = OciAudit::change_of(request, route);
    if (change) CO_CHECK(co_await audit_.ready());
    const auto who = caller.identity;
    const auto name = repository.text();
    OciCall call{
        .request = request,
        .body = body,
        .repository = std::move(repository),
        .last = route.last,
        .caller = std::move(caller),
        .home_epoch = home_epoch,
    };
    auto answer = co_await serve(std::move(call), route, name);
    if (!change) co_return answer;
    co_return co_await audit_.settle(request, *change, name, who, std::move(answer));
}

// From the repository, or from the first source of its project that has what isn't in it.
Task<Response> OciHandler::serve(OciCall call, OciRoute route, std::string_view known_as)
{
    const bool is_list = route.kind == Kind::tags || route.kind == Kind::referrers;
    const bool is_content = route.kind == Kind::manifest || route.kind == Kind::blob;
    const bool looks = is_list || (is_content && is_read(call.request.method) && !is_pusher(call.caller, known_as));
    auto sources = looks ? policy_.sources(known_as) : std::vector<AccessPolicy::Source>{};
    if (sources.empty()) co_return co_await dispatch(std::move(call), route.kind);
    if (is_list) {
        CO_TRY(call.sources, co_await open_sources(std::move(sources), call));
        co_return co_await dispatch(std::move(call), route.kind);
    }
    const bool by_digest = route.last.find(':') != std::string_view::npos;
    // Nobody waits for a registry elsewhere, or tells it a digest, where one of ours may have it. (Who has not logged
    // in keeps to the order, so as not to be asked to.)
    if (by_digest && !call.caller.identity->anonymous()) sources = ours_first(std::move(sources));
    Error failure{Errc::manifest_unknown, "there is no such manifest"};
    bool is_final = false;
    for (const auto& source : sources) {
        auto answer =
            source.own ? co_await dispatch(call, route.kind) : co_await serve_from(source.repository, call, route);
        if (answer) co_return answer;
        const auto& error = answer.error();
        if (!may_be_elsewhere(error, by_digest || source.optional)) co_return answer;
        // What is wrong somewhere says more than that it isn't there, and own words more than others'.
        if (!is_missing(error) || (source.own && !is_final)) failure = error;
        is_final = is_final || !is_missing(error);
    }
    co_return std::unexpected{std::move(failure)};
}

// Who has not said who they are is asked to before anything behind a source is looked for that is not for all: clients
// that can log in wait to be asked. For who has, but may not pull from there, nothing is there.
Task<Caller> OciHandler::admit_to(std::string source, const OciCall& asked)
{
    auto caller = co_await gate_.admit_asked_as(asked.request, asked.shown_name(), source);
    if (caller) co_return caller;
    const auto code = caller.error().code();
    const bool asks = code == Errc::unauthorized && asked.caller.identity->anonymous();
    if (asks || (code != Errc::unauthorized && code != Errc::denied)) co_return caller;
    co_return fail(Errc::name_unknown, "repository " + asked.shown_name() + " is not known to the registry");
}

// By the name that was asked for.
Task<Response> OciHandler::serve_from(std::string source, const OciCall& asked, OciRoute route)
{
    CO_TRY(auto caller, co_await admit_to(source, asked));
    CO_TRY(auto repository, RepositoryName::parse(source));
    OciCall call{
        .request = asked.request,
        .body = asked.body,
        .repository = std::move(repository),
        .last = asked.last,
        .caller = std::move(caller),
        .asked_as = asked.shown_name(),
    };
    CO_TRY(auto answer, co_await dispatch(std::move(call), route.kind));
    answer.add("Content-Location", "/v2/" + source + std::string{route.rest});
    co_return answer;
}

Task<std::vector<RepositoryName>>
OciHandler::open_sources(std::vector<AccessPolicy::Source> sources, const OciCall& asked)
{
    std::vector<RepositoryName> open;
    for (const auto& source : sources) {
        if (source.own) continue;
        const auto caller = co_await admit_to(source.repository, asked);
        if (!caller && !is_missing(caller.error())) co_return std::unexpected{caller.error()};
        CO_TRY(auto repository, RepositoryName::parse(source.repository));
        if (caller) open.push_back(std::move(repository));
    }
    co_return open;
}

Task<Response> OciHandler::dispatch(OciCall call, OciRoute::Kind kind)
{
    const auto method = call.request.method;
    switch (kind) {
        case Kind::manifest:
            if (method == Method::put) return writes_.put_manifest(std::move(call));
            if (method == Method::del) return writes_.delete_manifest(std::move(call));
            return reads_.manifest(std::move(call));
        case Kind::blob:
            if (method == Method::del) return writes_.delete_blob(std::move(call));
            return reads_.blob(std::move(call));
        case Kind::tags: return lists_.tags(std::move(call));
        case Kind::referrers: return lists_.referrers(std::move(call));
        case Kind::uploads: return uploads_.begin(std::move(call));
        case Kind::upload:
            if (method == Method::patch) return uploads_.append(std::move(call));
            if (method == Method::put) return uploads_.finish(std::move(call));
            if (method == Method::del) return uploads_.cancel(std::move(call));
            return uploads_.status(std::move(call));
        case Kind::base:
        case Kind::catalog: break;
    }
    std::unreachable();
}

}  // namespace entrepot
