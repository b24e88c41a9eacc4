#include "agent/agent_data.hpp"

#include "agent/node_credentials.hpp"
#include "drivers/chunk_files/chunk_disk.hpp"
#include "drivers/chunk_files/chunk_folder.hpp"

#include <cerrno>
#include <system_error>

#include <unistd.h>

namespace entrepot {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> disk_failure(const fs::path& path, const std::error_code& code)
{
    return fail(Errc::unavailable, path.string() + ": can't be removed: " + code.message());
}

// Of a symbolic link, as systemd has it for units with users of their own, what it leads to, and then the link. What
// holds something foreign, or is a mount, stays.
Result<> remove_directory(const fs::path& directory)
{
    std::error_code code;
    const auto real = fs::canonical(directory, code);
    if (code) return disk_failure(directory, code);
    if (::rmdir(real.c_str()) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY) return {};
        return disk_failure(real, {errno, std::generic_category()});
    }
    if (fs::is_symlink(directory)) fs::remove(directory, code);
    if (code) return disk_failure(directory, code);
    return {};
}

}  // namespace

Result<AgentData> agent_data_at(const fs::path& directory)
{
    std::error_code code;
    if (!fs::exists(directory, code)) {
        if (code) return disk_failure(directory, code);
        return AgentData::none;
    }
    if (fs::exists(directory / "chunks" / "lock", code)) return AgentData::kept;
    if (fs::is_directory(directory, code) && fs::is_empty(directory, code)) return AgentData::empty;
    if (code) return disk_failure(directory, code);
    return fail(Errc::conflict, directory.string() + ": is no agent's data, and is left alone");
}

Result<> remove_agent_data(const fs::path& directory)
{
    TRY(const auto data, agent_data_at(directory));
    if (data == AgentData::none) return {};
    if (data == AgentData::kept) {
        ChunkDisk disk;
        auto store = ChunkFolder::open(directory / "chunks", disk);
        if (!store && store.error().code() == Errc::conflict)
            return fail(Errc::conflict, directory.string() + ": an agent runs there: stop it first");
        if (!store) return std::unexpected{std::move(store).error()};
        // The store's lock goes last: without it nobody would know this as an agent's.
        CHECK(NodeCredentials::remove(directory / "node"));
        CHECK(store->remove(directory / "chunks"));
    }
    return remove_directory(directory);
}

}  // namespace entrepot
