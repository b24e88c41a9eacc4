#include "app/agent_command.hpp"
#include "app/app.hpp"
#include "app/backup_command.hpp"
#include "app/command_line.hpp"
#include "app/config.hpp"
#include "app/ctl_words.hpp"
#include "app/simulate_command.hpp"
#include "app/version.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

using namespace entrepot;

namespace {

int run(const ServeCommand& command)
{
    auto config = load_config(command.config_file, process_environment(), command.flags);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message().c_str());
        return exit_code::configuration;
    }
    const char* const password = std::getenv("ENTREPOT_ADMIN_PASSWORD");
    App app{*std::move(config), password != nullptr ? std::optional<std::string>{password} : std::nullopt};
    return app.run();
}

int run(const CheckConfigCommand& command)
{
    if (command.print_reference) {
        std::fputs(config_reference().c_str(), stdout);
        return exit_code::success;
    }
    const auto config = load_config(command.config_file, process_environment(), {});
    if (!config)
        std::fprintf(stderr, "%s\n", config.error().message().c_str());
    else
        std::puts("the configuration is valid");
    return config ? exit_code::success : exit_code::configuration;
}

int run(const AuditVerifyCommand& command)
{
    return run_audit_verify(command);
}

int run(const AuditShowCommand& command)
{
    return run_audit_show(command);
}

int run(const ResetAdminCommand& command)
{
    return run_reset_admin(command);
}

int run(const BackupCommand& command)
{
    return run_backup(command);
}

int run(const RestoreCommand& command)
{
    return run_restore(command);
}

int run(const RebuildCommand& command)
{
    return run_rebuild(command);
}

int run(const SimulateCommand& command)
{
    return run_simulate(command);
}

int run(const AgentCommand& command)
{
    return run_agent(command);
}

int run(const AgentMirrorCommand& command)
{
    return run_agent_mirror(command);
}

int run(const VersionCommand&)
{
    std::printf("entrepot %s\n", version_text);
    return exit_code::success;
}

int run(const CtlWords& command)
{
    return run_ctl_words(command);
}

int run(const PrintCommand& command)
{
    std::fputs(command.text.c_str(), command.exit_code == 0 ? stdout : stderr);
    return command.exit_code;
}

}  // namespace

int main(int count, char** arguments)
{
    try {
        return std::visit([](const auto& command) { return run(command); }, parse_command_line(count, arguments));
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "entrepot: %s\n", failure.what());
        return exit_code::failure;
    }
}
