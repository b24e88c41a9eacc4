#include "app/reset_admin.hpp"

#include "access/policy.hpp"
#include "api/token/first_user.hpp"
#include "app/act_as_owner.hpp"
#include "app/audit_parts.hpp"
#include "app/data_directory.hpp"
#include "app/exit_code.hpp"
#include "app/open_store.hpp"
#include "core/log.hpp"
#include "core/run_to_end.hpp"

#include <cstdio>
#include <filesystem>
#include <pwd.h>
#include <unistd.h>

namespace entrepot {
namespace {

constexpr std::chrono::seconds longest_forwarding{5};

int complain(const std::string& what, const Error& error)
{
    const auto detail = error.detail().empty() ? std::string{} : " (" + error.detail() + ")";
    std::fprintf(stderr, "entrepot: %s%s%s\n", what.c_str(), error.message().c_str(), detail.c_str());
    return exit_code::failure;
}

// Whoever is at the machine. No user's name holds a ':'.
std::string operator_name()
{
    const auto* user = ::getpwuid(::getuid());
    return "local:" + (user ? std::string{user->pw_name} : std::to_string(::getuid()));
}

AuditRecord reset_record(const Clock& clock, std::string who, const Result<std::string>& outcome)
{
    AuditRecord record;
    record.at = clock.now();
    record.user = std::move(who);
    record.operation = "update";
    record.resource_type = "user";
    record.resource = "admin";
    record.client = "local";
    record.after = R"({"changed":"password","by":"reset-admin-password"})";
    if (!outcome) {
        record.result = "failed";
        record.detail = outcome.error().message();
    }
    return record;
}

}  // namespace

int run_reset_admin(const ResetAdminCommand& command)
{
    const auto config = load_config(command.config_file, process_environment(), command.flags);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message().c_str());
        return exit_code::configuration;
    }
    log::configure(log::Level::warning, config->log.format);
    const auto who = operator_name();
    act_as_owner(config->data);
    // A running server on SQLite would not hear of the change: the lock refuses us then. PostgreSQL tells all
    // instances.
    std::optional<DataDirectory> lock;
    if (!config->uses_postgres()) lock.emplace(config->data);
    SystemClock clock;
    SystemRandom random;
    const auto store = open_store(*config, clock);
    const AccessPolicy policy{config->auth.create_project_on_push, clock};
    AuditParts audit{
        *config, store->audit_anchors(), store->settings(), policy, clock, random, AuditParts::Chain::own_or_local
    };
    if (const auto ready = run_to_end(audit.trail().ready()); !ready) {
        return complain("nothing was changed, because it can't be recorded: ", ready.error());
    }
    const auto password = run_to_end(reset_admin(store->accounts(), store->people(), clock, random));
    const auto recorded = run_to_end(audit.trail().record(reset_record(clock, who, password)));
    const bool forwarded = audit.forwarded_within(longest_forwarding);
    audit.stop();
    store->stop();
    if (!password) return complain({}, password.error());
    if (!recorded) return complain("the password is another now, but not recorded; run this again: ", recorded.error());
    if (!forwarded) std::fputs("entrepot: the record of this is not forwarded yet\n", stderr);
    std::printf("user: admin, password: %s   (shown this once)\n", password->c_str());
    return exit_code::success;
}

}  // namespace entrepot
