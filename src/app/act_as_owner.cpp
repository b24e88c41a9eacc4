#include "app/act_as_owner.hpp"

#include <cerrno>
#include <grp.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace entrepot {

void act_as_owner(const std::filesystem::path& data)
{
    struct stat status{};
    if (::stat(data.c_str(), &status) != 0) {
        throw std::runtime_error{
            "the server's data directory " + data.string() + " can't be used (" +
            std::generic_category().message(errno) + "): name it by --data or --config"
        };
    }
    if (::geteuid() != 0 || status.st_uid == 0) return;
    if (::setgroups(0, nullptr) != 0 || ::setgid(status.st_gid) != 0 || ::setuid(status.st_uid) != 0) {
        throw std::runtime_error{
            "can't act as the owner of " + data.string() + ": " + std::generic_category().message(errno)
        };
    }
}

}  // namespace entrepot
