#include "app/reset_admin.hpp"

#include "api/token/first_user.hpp"
#include "app/data_directory.hpp"
#include "app/exit_code.hpp"
#include "app/open_store.hpp"
#include "core/log.hpp"
#include "core/run_to_end.hpp"

#include <cstdio>

namespace entrepot {

int run_reset_admin(const ResetAdminCommand& command)
{
    const auto config = load_config(command.config_file, process_environment(), command.flags);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message().c_str());
        return exit_code::configuration;
    }
    log::configure(log::Level::warning, config->log.format);
    // A running server on SQLite would not hear of the change: the lock refuses us then. PostgreSQL tells all
    // instances.
    std::optional<DataDirectory> lock;
    if (!config->uses_postgres()) lock.emplace(config->data);
    SystemClock clock;
    SystemRandom random;
    const auto store = open_store(*config, clock);
    const auto password = run_to_end(reset_admin(store->accounts(), store->people(), clock, random));
    store->stop();
    if (!password) {
        const auto& error = password.error();
        const auto detail = error.detail().empty() ? std::string{} : " (" + error.detail() + ")";
        std::fprintf(stderr, "entrepot: %s%s\n", error.message().c_str(), detail.c_str());
        return exit_code::failure;
    }
    std::printf("user: admin, password: %s   (shown this once)\n", password->c_str());
    return exit_code::success;
}

}  // namespace entrepot
