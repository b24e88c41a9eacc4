#include "agent/mirror_files.hpp"

#include "client/http_url.hpp"
#include "core/bytes.hpp"
#include "core/file_descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {
namespace {

constexpr std::string_view marker = "# Written by `entrepot agent install-mirror`, which replaces it; `remove-mirror` "
                                    "takes it away.\n";

// The name and URL of a registry that is given as either.
struct NamedRegistry {
    std::string name;
    std::string url;
};

Result<NamedRegistry> registry_called(const std::string& text)
{
    const bool is_url = text.contains("://");
    const auto url = parse_http_url(is_url ? text : "https://" + text + "/");
    // What begins with a dot or a dash is no host, and would be another folder or an option.
    const bool plain = text.find_first_of("\"'\\ \t\n") == std::string::npos;
    if (!url || url->target != "/" || !plain || url->host.starts_with('.') || url->host.starts_with('-'))
        return fail(Errc::bad_request, "'" + text + "' is no registry: HOST[:PORT], or its URL");
    auto whole = url->text();
    whole.pop_back();  // its slash
    return NamedRegistry{.name = url->authority(), .url = std::move(whole)};
}

std::string hosts_toml(const NamedRegistry& registry, const std::string& agent)
{
    std::string text{marker};
    text += "server = \"" + registry.url + "\"\n\n[host.\"" + agent + "\"]\n";
    return text + "  capabilities = [\"pull\", \"resolve\"]\n  dial_timeout = \"500ms\"\n";
}

std::string registries_conf(const NamedRegistry& registry, const HttpUrl& agent)
{
    std::string text{marker};
    text += "[[registry]]\nprefix = \"" + registry.name + "\"\nlocation = \"" + registry.name + "\"\n";
    if (registry.url.starts_with("http://")) text += "insecure = true\n";
    text += "\n[[registry.mirror]]\nlocation = \"" + agent.host + ":" + std::to_string(agent.port) + "\"\n";
    return agent.tls ? text : text + "insecure = true\n";
}

std::unexpected<Error> disk_failure(const std::filesystem::path& path, const std::string& doing)
{
    return fail(Errc::unavailable, path.string() + ": " + doing + ": " + std::generic_category().message(errno));
}

// What our file at that place holds; nullopt: there is none. conflict: it is somebody else's.
Result<std::optional<std::string>> ours_at(const std::filesystem::path& path)
{
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>{};
        return disk_failure(path, "can't be looked at");
    }
    const auto foreign = [&] { return fail(Errc::conflict, path.string() + ": is not ours, and is left alone"); };
    if (!S_ISREG(status.st_mode)) return foreign();
    std::ifstream stream{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream.good() && !stream.eof()) return disk_failure(path, "can't be read");
    if (!text.starts_with(marker)) return foreign();
    return std::optional{std::move(text)};
}

// The whole file or none: it gets its name once its bytes are on the disk.
Result<> write_file(const MirrorFile& file)
{
    std::error_code failed;
    std::filesystem::create_directories(file.path.parent_path(), failed);
    if (failed)
        return fail(Errc::unavailable, file.path.parent_path().string() + ": can't be made: " + failed.message());
    auto name = (file.path.parent_path() / ".entrepot-XXXXXX").string();
    const FileDescriptor descriptor{::mkostemp(name.data(), O_CLOEXEC)};
    if (!descriptor) return disk_failure(file.path, "can't be written");
    const auto written = ::write(descriptor.get(), file.text.data(), file.text.size());
    const bool good = written == static_cast<ssize_t>(file.text.size()) && ::fchmod(descriptor.get(), 0644) == 0 &&
                      ::fsync(descriptor.get()) == 0 && ::rename(name.c_str(), file.path.c_str()) == 0;
    if (good) return {};
    auto failure = disk_failure(file.path, "can't be written");
    ::unlink(name.c_str());
    return failure;
}

}  // namespace

Result<std::vector<MirrorFile>> mirror_files(const MirrorFiles& wanted)
{
    TRY(const auto registry, registry_called(wanted.registry));
    TRY(const auto agent, parse_http_url(wanted.agent.empty() ? "http://127.0.0.1:5100" : wanted.agent));
    if (agent.target != "/") return fail(Errc::bad_request, "the agent's URL has a path: " + wanted.agent);
    auto agent_url = agent.text();
    agent_url.pop_back();
    std::vector<MirrorFile> files;
    if (wanted.containerd)
        files.push_back({*wanted.containerd / registry.name / "hosts.toml", hosts_toml(registry, agent_url)});
    if (wanted.crio) {
        auto name = registry.name;
        std::ranges::replace(name, ':', '-');
        files.push_back({*wanted.crio / ("50-entrepot-" + name + ".conf"), registries_conf(registry, agent)});
    }
    if (wanted.podman) files.push_back({*wanted.podman, registries_conf(registry, agent)});
    if (files.empty()) return fail(Errc::bad_request, "one of --containerd, --crio and --podman is required");
    return files;
}

Result<std::vector<MirrorChange>> install_mirror(const std::vector<MirrorFile>& files, bool dry_run)
{
    std::vector<MirrorChange> changes;
    for (const auto& file : files) {
        TRY(const auto text, ours_at(file.path));
        const auto kind = text == file.text ? MirrorChange::Kind::same : MirrorChange::Kind::written;
        changes.push_back({.path = file.path, .kind = kind});
    }
    for (std::size_t at = 0; at < files.size() && !dry_run; ++at) {
        if (changes[at].kind == MirrorChange::Kind::written) CHECK(write_file(files[at]));
    }
    return changes;
}

Result<std::vector<MirrorChange>> remove_mirror(const std::vector<MirrorFile>& files, bool dry_run)
{
    std::vector<MirrorChange> changes;
    for (const auto& file : files) {
        TRY(const auto text, ours_at(file.path));
        const auto kind = text ? MirrorChange::Kind::removed : MirrorChange::Kind::absent;
        changes.push_back({.path = file.path, .kind = kind});
    }
    for (const auto& change : changes) {
        if (dry_run || change.kind != MirrorChange::Kind::removed) continue;
        if (::unlink(change.path.c_str()) != 0) return disk_failure(change.path, "can't be removed");
        // The registry's own folder, where nobody has put anything else: the others refuse.
        if (change.path.filename() == "hosts.toml") ::rmdir(change.path.parent_path().c_str());
    }
    return changes;
}

}  // namespace entrepot
