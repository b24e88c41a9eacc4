#include "app/app.hpp"

#include "api/token/first_user.hpp"
#include "app/parts.hpp"
#include "app/start_failure.hpp"
#include "app/version.hpp"
#include "core/log.hpp"
#include "core/run_to_end.hpp"

#include <cstdio>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

namespace entrepot {
namespace {

constexpr std::string_view first_project = "library";

void raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warning("can't raise the limit of open files");
}

// Large blocks (19 MiB for each password check) go back to the system when they are freed: glibc's own threshold would
// rise with the first of them and keep the next ones. Few arenas, because most threads allocate little.
void bound_heap()
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_ARENA_MAX, 4);
}

// Blocks the signals that run() waits for, in this thread and all that it starts.
sigset_t block_signals()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

void print_greeting(const Config& config, std::uint16_t port, const std::optional<std::string>& generated_password)
{
    const auto& listener = config.listeners.front();
    const bool is_ipv6 = listener.address.find(':') != std::string::npos;
    const auto host = (is_ipv6 ? "[" + listener.address + "]" : listener.address) + ":" + std::to_string(port);
    const char* const scheme = listener.tls ? "https" : "http";
    const char* const login = listener.tls ? "" : " --tls-verify=false";
    const char* const push = listener.tls ? "" : " --dest-tls-verify=false";
    std::printf("entrepot %s serves on %s://%s\n", version_text, scheme, host.c_str());
    if (generated_password) {
        std::printf("  first user: admin, password: %s   (shown this once)\n", generated_password->c_str());
    }
    std::printf("  log in:     skopeo login%s --username admin %s\n", login, host.c_str());
    std::printf("  push:       skopeo copy%s oci-archive:IMAGE.tar docker://%s/library/NAME:TAG\n", push, host.c_str());
    std::fflush(stdout);
}

}  // namespace

App::App(Config config, std::optional<std::string> admin_password)
{
    block_signals();
    bound_heap();
    raise_descriptor_limit();
    log::configure(config.log.level, config.log.format);
    parts_ = std::make_unique<Parts>(std::move(config));

    auto& parts = *parts_;
    if (auto opened = run_to_end(parts.keys.open()); !opened) throw start_failure("the signing keys", opened.error());
    auto password =
        run_to_end(ensure_admin(parts.store->accounts(), std::move(admin_password), parts.clock, parts.random));
    if (!password) throw start_failure("the first user (ENTREPOT_ADMIN_PASSWORD)", password.error());
    const auto library = *ProjectName::parse(first_project);
    const auto created =
        run_to_end(parts.store->projects().create({.name = library}, {.user_id = 1, .at = parts.clock.now()}));
    if (!created && created.error().code() != Errc::conflict) throw start_failure("the first project", created.error());
    if (auto read = run_to_end(parts.settings.refresh()); !read) throw start_failure("the settings", read.error());
    if (auto told = run_to_end(parts.trash.start()); !told) throw start_failure("the trash", told.error());
    if (auto read = run_to_end(parts.backup_metrics.refresh()); !read) {
        throw start_failure("the last backup's time", read.error());
    }
    if (auto read = run_to_end(parts.access_directory.catch_up()); !read) {
        throw start_failure("the permissions", read.error());
    }
    print_greeting(parts.config, parts.server->port(0), *password);
}

App::~App() = default;

int App::run()
{
    const auto signals = block_signals();
    parts_->feed_listener = parts_->background.get();
    parts_->background->start();
    parts_->job_runner.start();
    parts_->server->start();
    log::info("serving", {{"version", version_text}, {"data", parts_->config.data.string()}});
    for (;;) {
        int signal = 0;
        if (sigwait(&signals, &signal) != 0) continue;
        if (signal != SIGHUP) break;
        const auto reloaded = parts_->server->reload_tls();
        if (reloaded)
            log::info("certificates reloaded");
        else
            log::failure(log::Level::error, "the certificates were not reloaded", reloaded.error());
    }
    log::info("stopping");
    const auto& patience = parts_->config.shutdown;
    parts_->server->drain(patience.stalled, patience.longest);
    parts_.reset();
    log::info("stopped");
    return 0;
}

}  // namespace entrepot
