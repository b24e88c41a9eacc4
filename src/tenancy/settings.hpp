#pragma once

#include "access/require.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/settings_catalog.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace entrepot {

using SettingValue = std::variant<bool, std::int64_t, std::string>;

// One thing that can be set at run time, under Harbor's name (configurations of its API v2.0).
struct SettingKey {
    std::string_view name;
    SettingValue fallback;   // its type is the setting's
    std::int64_t least = 0;  // of integers
    std::int64_t most = 0;
    std::vector<std::string_view> choices{};  // of texts; empty: any text
    bool editable = true;
};

// What can be set while instances run. Values are in memory: getters cost a short lock. A change is in effect here when
// change() answers, and on other instances when they refresh() next (within a second). Safe from any thread.
class Settings {
public:
    static constexpr std::chrono::minutes longest_token_lifetime{1440};

    // `token_lifetime`, `session_timeout`: what the configuration file says, for as long as nothing else is set.
    Settings(
        SettingsCatalog& catalog,
        const AccessPolicy& policy,
        const Clock& clock,
        std::chrono::seconds token_lifetime = std::chrono::minutes{30},
        std::chrono::seconds session_timeout = std::chrono::minutes{60}
    );

    // Reads all values. At start and once a second where other instances write to the database too. unavailable.
    Task<> refresh();

    struct Entry {
        const SettingKey* key;
        SettingValue value;
    };
    Task<std::vector<Entry>> list(Caller caller);  // denied
    // Names that nobody knows are ignored, as Harbor does. bad_request for a value of the wrong type or range; denied.
    Task<> change(Caller caller, std::map<std::string, SettingValue> values);

    bool self_registration() const { return flag("self_registration"); }
    bool everyone_creates_projects() const { return text("project_creation_restriction") == "everyone"; }
    bool read_only() const { return flag("read_only"); }
    std::chrono::seconds token_lifetime() const;
    std::chrono::minutes session_lifetime() const { return std::chrono::minutes{integer("session_timeout")}; }
    std::int64_t robot_days() const { return integer("robot_token_duration"); }
    std::string robot_name_prefix() const { return text("robot_name_prefix"); }
    bool quota_per_project() const { return flag("quota_per_project_enable"); }
    std::int64_t storage_per_project() const { return integer("storage_per_project"); }  // bytes; -1: no limit
    std::string banner_message() const { return text("banner_message"); }
    bool notifications() const { return flag("notification_enable"); }
    bool audits_pulls() const { return !flag("pull_audit_log_disable"); }
    std::string audit_forward_endpoint() const { return text("audit_log_forward_endpoint"); }
    bool skips_audit_store() const { return flag("skip_audit_log_database"); }
    std::vector<std::string> disabled_audit_events() const;  // "create_project", "pull_artifact" …
    std::string auth_mode() const { return text("auth_mode"); }
    bool primary_auth_mode() const { return flag("primary_auth_mode"); }

    // By name, for other rooms' tables; std::out_of_range for a name that there is not: a bug.
    SettingValue value(std::string_view name) const;

private:
    using Values = std::map<std::string, SettingValue, std::less<>>;

    bool flag(std::string_view name) const { return std::get<bool>(value(name)); }
    std::int64_t integer(std::string_view name) const { return std::get<std::int64_t>(value(name)); }
    std::string text(std::string_view name) const { return std::get<std::string>(value(name)); }
    Values values_of(const SettingsCatalog::Values& stored) const;

    SettingsCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    const std::chrono::seconds token_lifetime_;
    const std::vector<SettingKey> keys_;
    mutable std::mutex mutex_;
    std::uint64_t begun_ = 0;  // reads; the one that began last wins
    std::uint64_t taken_over_ = 0;
    std::shared_ptr<const Values> values_;
};

}  // namespace entrepot
