#include "tenancy/settings.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace entrepot {
namespace {

const Permission read_configuration = need(ObjectKind::platform, "configuration", "read");
const Permission update_configuration = need(ObjectKind::platform, "configuration", "update");

constexpr std::int64_t most_bytes = std::int64_t{1} << 50U;  // Harbor's: 1,024 TiB
constexpr std::size_t longest_text = 4096;

// What of the audit trail can be left out, under Harbor's names.
constexpr std::string_view pull_event = "pull_artifact";
constexpr std::string_view log_in_event = "login_user";
constexpr std::string_view log_out_event = "logout_user";

// "pull_artifact, login_user": the parts, without blanks and empty ones.
std::vector<std::string_view> listed(std::string_view all)
{
    std::vector<std::string_view> parts;
    while (!all.empty()) {
        const auto end = all.find(',');
        auto part = all.substr(0, end);
        all = end == std::string_view::npos ? std::string_view{} : all.substr(end + 1);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        if (!part.empty()) parts.push_back(part);
    }
    return parts;
}

std::vector<SettingKey> make_keys(const Settings::Configured& configured)
{
    using std::string;
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(configured.token_lifetime).count();
    const auto idle_minutes = std::chrono::ceil<std::chrono::minutes>(configured.session_timeout).count();
    return {
        {.name = "auth_mode",
         .fallback = string{"db_auth"},
         .choices = {"db_auth"},
         .editable = false,
         .why_not = "people log in with passwords of this registry"},
        {.name = "primary_auth_mode", .fallback = false},
        {.name = "self_registration", .fallback = false},
        {.name = "project_creation_restriction", .fallback = string{"everyone"}, .choices = {"everyone", "adminonly"}},
        {.name = "read_only", .fallback = false},
        {.name = "token_expiration",
         .fallback = std::int64_t{minutes},
         .least = 1,
         .most = Settings::longest_token_lifetime.count()},
        {.name = "session_timeout", .fallback = std::int64_t{idle_minutes}, .least = 1, .most = 525'600},
        {.name = "robot_token_duration", .fallback = std::int64_t{30}, .least = 1, .most = 36'500},
        {.name = "robot_name_prefix", .fallback = string{"robot$"}},
        {.name = "quota_per_project_enable", .fallback = true},
        {.name = "storage_per_project", .fallback = std::int64_t{-1}, .least = -1, .most = most_bytes},
        {.name = "banner_message", .fallback = string{}},
        {.name = "notification_enable", .fallback = true},
        {.name = "pull_audit_log_disable", .fallback = !configured.audits_pulls},
        {.name = "audit_log_forward_endpoint",
         .fallback = configured.audit_forward_endpoint,
         .editable = false,
         .why_not = "it stands in the configuration file as audit.forward_syslog"},
        {.name = "skip_audit_log_database",
         .fallback = false,
         .editable = false,
         .why_not = "the audit trail is always kept, in files of its own"},
        {.name = "disabled_audit_log_event_types", .fallback = string{}},
    };
}

Result<> check(const SettingKey& key, const SettingValue& value)
{
    const auto refused = [&](const std::string& what) {
        return fail(Errc::bad_request, std::string{key.name} + " is not " + what);
    };
    if (value.index() != key.fallback.index()) {
        static constexpr const char* types[] = {"true or false", "an integer", "a text"};
        return refused(types[key.fallback.index()]);
    }
    if (const auto* number = std::get_if<std::int64_t>(&value); number && (*number < key.least || *number > key.most)) {
        return refused("from " + std::to_string(key.least) + " to " + std::to_string(key.most));
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return {};
    if (text->size() > longest_text) return refused("at most " + std::to_string(longest_text) + " bytes");
    if (!key.choices.empty() && std::ranges::find(key.choices, *text) == key.choices.end()) {
        std::string choices;
        for (const auto choice : key.choices) choices += (choices.empty() ? "" : ", ") + std::string{choice};
        return refused("one of " + choices);
    }
    if (key.name == "disabled_audit_log_event_types") {
        for (const auto event : listed(*text)) {
            if (event == pull_event || event == log_in_event || event == log_out_event) continue;
            return fail(
                Errc::bad_request,
                "disabled_audit_log_event_types can't hold " + std::string{event} +
                    ": changes are always recorded; only pull_artifact, login_user and logout_user can be left out"
            );
        }
    }
    if (key.name == "robot_name_prefix") {
        const bool plain = std::ranges::all_of(*text, [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
        if (text->empty() || text->size() > 32 || !plain) return refused("1 to 32 printable characters without ':'");
    }
    return {};
}

std::string stored_form(const SettingValue& value)
{
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    return std::get<std::string>(value);
}

// What an older or newer version stored and this one can't take counts as not set.
SettingValue value_of(const SettingKey& key, const std::string& stored)
{
    SettingValue value = stored;
    if (std::holds_alternative<bool>(key.fallback) && (stored == "true" || stored == "false")) {
        value = stored == "true";
    } else if (std::holds_alternative<std::int64_t>(key.fallback)) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(stored.data(), stored.data() + stored.size(), number);
        if (error == std::errc{} && end == stored.data() + stored.size()) value = number;
    }
    return check(key, value) ? value : key.fallback;
}

}  // namespace

Settings::Settings(SettingsCatalog& catalog, const AccessPolicy& policy, const Clock& clock, Configured configured)
    : catalog_{catalog},
      policy_{policy},
      clock_{clock},
      token_lifetime_{configured.token_lifetime},
      keys_{make_keys(configured)},
      values_{std::make_shared<const Values>(values_of({}))}
{
}

Settings::Values Settings::values_of(const SettingsCatalog::Values& stored) const
{
    Values values;
    for (const auto& key : keys_) {
        const auto found = stored.find(key.name);
        const bool set = key.editable && found != stored.end();
        values.emplace(key.name, set ? value_of(key, found->second) : key.fallback);
    }
    return values;
}

Task<> Settings::refresh()
{
    std::uint64_t number = 0;
    {
        const std::lock_guard lock{mutex_};
        number = ++begun_;
    }
    CO_TRY(const auto stored, co_await catalog_.all());
    auto values = std::make_shared<const Values>(values_of(stored));
    {
        const std::lock_guard lock{mutex_};
        if (number > taken_over_) {
            taken_over_ = number;
            values_ = std::move(values);
        }
    }
    const std::lock_guard one_at_a_time{watching_};
    if (watcher_) watcher_();
    co_return Result<>{};
}

Task<std::vector<Settings::Entry>> Settings::list(Caller caller)
{
    CO_CHECK(require(policy_, caller, read_configuration, the_platform));
    CO_CHECK(co_await refresh());
    std::vector<Entry> entries;
    for (const auto& key : keys_) entries.push_back({&key, value(key.name)});
    co_return entries;
}

Task<> Settings::change(Caller caller, std::map<std::string, SettingValue> values)
{
    CO_CHECK(require(policy_, caller, update_configuration, the_platform));
    SettingsCatalog::Changes changes;
    for (const auto& [name, wanted] : values) {
        const auto key = std::ranges::find(keys_, std::string_view{name}, &SettingKey::name);
        if (key == keys_.end()) continue;
        CO_CHECK(check(*key, wanted));
        if (key->editable) {
            changes.emplace(name, stored_form(wanted));
        } else if (wanted != key->fallback) {
            co_return fail(Errc::bad_request, name + " can't be changed: " + std::string{key->why_not});
        }
    }
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    if (!changes.empty()) CO_CHECK(co_await catalog_.change(std::move(changes), actor));
    co_return co_await refresh();
}

// The configured one may be finer than the minutes that it is shown in.
std::chrono::seconds Settings::token_lifetime() const
{
    const std::chrono::minutes set{integer("token_expiration")};
    return set == std::chrono::ceil<std::chrono::minutes>(token_lifetime_) ? token_lifetime_ : set;
}

SettingValue Settings::value(std::string_view name) const
{
    const std::lock_guard lock{mutex_};
    const auto found = values_->find(name);
    if (found == values_->end()) throw std::out_of_range{"no such setting: " + std::string{name}};
    return found->second;
}

AuditChoice Settings::audit_choice() const
{
    AuditChoice choice{.pulls = !flag("pull_audit_log_disable")};
    const auto all = text("disabled_audit_log_event_types");
    for (const auto event : listed(all)) {
        if (event == pull_event) choice.pulls = false;
        if (event == log_in_event) choice.log_ins = false;
        if (event == log_out_event) choice.log_outs = false;
    }
    return choice;
}

}  // namespace entrepot
