#include "drivers/authoriser/webhook_authoriser.hpp"

#include "core/log.hpp"
#include "core/utf8.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr unsigned failures_before_rest = 3;
constexpr std::chrono::seconds rest{1};
constexpr std::size_t longest_answer = 64 * 1024;
constexpr std::size_t longest_reason = 500;

std::string question_text(const AuthorisationQuestion& question)
{
    return json::serialize(json::object{
        {"user", {{"id", question.user_id}, {"name", question.user}}},
        {"action", question.action},
        {"object", question.object},
        {"client", question.client},
        {"request_id", question.request_id},
    });
}

std::unexpected<Error> no_answer(std::string why)
{
    return fail(Errc::unavailable, "the external authoriser gave no answer", std::move(why));
}

}  // namespace

Result<std::unique_ptr<WebhookAuthoriser>>
WebhookAuthoriser::create(WebhookAuthoriserOptions options, const Clock& clock)
{
    HttpClientOptions http;
    http.ca_file = options.ca_file;
    http.connect_patience = options.patience;
    http.exchange_patience = options.patience;
    http.longest_body = longest_answer;
    http.most_redirects = 0;
    TRY(auto client, HttpClient::create(std::move(http)));
    return std::unique_ptr<WebhookAuthoriser>{new WebhookAuthoriser{std::move(client), std::move(options), clock}};
}

std::size_t WebhookAuthoriser::Hash::operator()(const KeyView& key) const noexcept
{
    const std::hash<std::string_view> text;
    return (text(key.object) * 31 + text(key.action)) * 31 + static_cast<std::size_t>(key.user_id);
}

std::size_t WebhookAuthoriser::Hash::operator()(const Key& key) const noexcept
{
    return (*this)(KeyView{key.user_id, key.action, key.object});
}

std::optional<bool>
WebhookAuthoriser::remembered(std::int64_t user_id, std::string_view action, std::string_view object) const noexcept
{
    const std::lock_guard lock{mutex_};
    const auto found = answers_.find(KeyView{user_id, action, object});
    if (found == answers_.end() || found->second.until <= clock_.steady()) return std::nullopt;
    return found->second.allowed;
}

void WebhookAuthoriser::remember(const AuthorisationQuestion& question, const Answer& answer)
{
    const std::lock_guard lock{mutex_};
    failures_in_a_row_ = 0;
    if (answer.keep <= std::chrono::milliseconds{0}) return;
    if (answers_.size() >= options_.most_remembered) {
        std::erase_if(answers_, [now = clock_.steady()](const auto& entry) { return entry.second.until <= now; });
    }
    if (answers_.size() >= options_.most_remembered) answers_.clear();
    auto kept = answer;
    kept.until = clock_.steady() + answer.keep;
    answers_.insert_or_assign(Key{question.user_id, question.action, question.object}, std::move(kept));
}

bool WebhookAuthoriser::is_resting() const
{
    const std::lock_guard lock{mutex_};
    return clock_.steady() < rests_until_;
}

void WebhookAuthoriser::count_failure()
{
    ++failed_;
    const std::lock_guard lock{mutex_};
    if (++failures_in_a_row_ >= failures_before_rest) rests_until_ = clock_.steady() + rest;
}

Result<> WebhookAuthoriser::when_away(const Error& why) const
{
    if (!options_.refuse_when_away) return {};
    return fail(Errc::denied, "the external authoriser can't be asked", why.message() + ": " + why.detail());
}

std::optional<Result<>> WebhookAuthoriser::known(const AuthorisationQuestion& question) const
{
    const std::lock_guard lock{mutex_};
    const auto found = answers_.find(KeyView{question.user_id, question.action, question.object});
    if (found == answers_.end() || found->second.until <= clock_.steady()) return std::nullopt;
    return verdict(found->second);
}

Result<> WebhookAuthoriser::verdict(const Answer& answer)
{
    if (answer.allowed) return {};
    return fail(Errc::denied, answer.reason.empty() ? "refused by the external authoriser" : answer.reason);
}

Task<> WebhookAuthoriser::ask(AuthorisationQuestion question)
{
    if (auto answered = known(question)) co_return *std::move(answered);
    if (is_resting()) co_return when_away(Error{Errc::unavailable, "it failed a moment ago"});
    auto answer = co_await fetch(question);
    if (!answer) {
        count_failure();
        log::failure(log::Level::warning, "the external authoriser", answer.error(), question.request_id);
        co_return when_away(answer.error());
    }
    remember(question, *answer);
    co_return verdict(*answer);
}

Task<WebhookAuthoriser::Answer> WebhookAuthoriser::fetch(AuthorisationQuestion question)
{
    ++asked_;
    ClientRequest request{.method = "POST", .url = options_.url};
    request.fields.push_back({.name = "Content-Type", .value = "application/json"});
    if (!options_.token.empty())
        request.fields.push_back({.name = "Authorization", .value = "Bearer " + options_.token});
    request.body = question_text(question);
    CO_TRY(const auto response, co_await client_.send(std::move(request)));
    if (response.status != 200) co_return no_answer("status " + std::to_string(response.status));
    boost::system::error_code error;
    const auto value = json::parse(response.body, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* allowed = object != nullptr ? object->if_contains("allowed") : nullptr;
    if (allowed == nullptr || !allowed->is_bool()) co_return no_answer("no \"allowed\" in it");
    Answer answer;
    answer.allowed = allowed->get_bool();
    answer.keep = options_.remembered_for;
    if (const auto* reason = object->if_contains("reason"); reason != nullptr && reason->is_string()) {
        const std::string_view text = reason->get_string();
        if (is_plain_text(text)) answer.reason = text.substr(0, longest_reason);
    }
    if (const auto* ttl = object->if_contains("ttl_seconds"); ttl != nullptr && ttl->is_int64()) {
        const auto seconds = std::clamp<std::int64_t>(ttl->get_int64(), 0, 3600);
        answer.keep = std::min<std::chrono::milliseconds>(answer.keep, std::chrono::seconds{seconds});
    }
    co_return answer;
}

}  // namespace entrepot
