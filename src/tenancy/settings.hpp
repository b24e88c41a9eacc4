#pragma once

#include "access/require.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/audit_trail.hpp"
#include "ports/settings_catalog.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
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
    std::string_view why_not{};  // what is not editable is so
};

// What can be set while instances run. Values are in memory: getters cost a short lock. A change is in effect here when
// change() answers, and on other instances when they refresh() next (within a second). Safe from any thread.
class Settings {
public:
    static constexpr std::chrono::minutes longest_token_lifetime{1440};

    // What the configuration file says: for as long as nothing else is set, and of the endpoint always.
    struct Configured {
        std::chrono::seconds token_lifetime = std::chrono::minutes{30};
        std::chrono::seconds session_timeout = std::chrono::minutes{60};
        bool audits_pulls = true;
        std::string audit_forward_endpoint = {};
    };
    Settings(SettingsCatalog& catalog, const AccessPolicy& policy, const Clock& clock, Configured configured);
    Settings(SettingsCatalog& catalog, const AccessPolicy& policy, const Clock& clock)
        : Settings{catalog, policy, clock, Configured{}}
    {
    }

    // `watcher` runs after every refresh(), one at a time, and sees the values of that or a later one. Set before any.
    void watch(std::function<void()> watcher) { watcher_ = std::move(watcher); }

    // Reads all values. At start and once a second where other instances write to the database too. unavailable.
    Task<> refresh();

    struct Entry {
        const SettingKey* key;
        SettingValue value;
    };
    Task<std::vector<Entry>> list(Caller caller);  // denied
    // Names that nobody knows are ignored, as Harbor does. bad_request for a value of the wrong type or range, and for
    // another value of what can't be changed; denied.
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
    AuditChoice audit_choice() const;  // pull_audit_log_disable, disabled_audit_log_event_types
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
    std::function<void()> watcher_;
    std::mutex watching_;
    const std::vector<SettingKey> keys_;
    mutable std::mutex mutex_;
    std::uint64_t begun_ = 0;  // reads; the one that began last wins
    std::uint64_t taken_over_ = 0;
    std::shared_ptr<const Values> values_;
};

}  // namespace entrepot
