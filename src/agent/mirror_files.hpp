#pragma once

#include "core/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// What makes container runtimes ask the agent first: files in their own configuration.
struct MirrorFiles {
    // host[:port] that images are named by, or its URL where it is not https.
    std::string registry;
    std::string agent{};                                // its URL; for remove_mirror() not needed
    std::optional<std::filesystem::path> containerd{};  // its config_path, as in /etc/containerd/certs.d
    std::optional<std::filesystem::path> crio{};        // a registries.conf.d
    std::optional<std::filesystem::path> podman{};      // a file in a registries.conf.d
};

struct MirrorFile {
    std::filesystem::path path;
    std::string text;
};

// The files as they are to be. bad_request: no name of a registry, no URL of an agent, or no runtime.
Result<std::vector<MirrorFile>> mirror_files(const MirrorFiles& wanted);

// What was done with a file, or would be.
struct MirrorChange {
    enum class Kind { written, same, removed, absent };
    std::filesystem::path path;
    Kind kind;
};

// Makes the files what they are to be, each at once, or takes them away again; with `dry_run` it only tells. A file
// that neither of them has written is never touched: conflict, and then nothing is. unavailable: what the disk says.
Result<std::vector<MirrorChange>> install_mirror(const std::vector<MirrorFile>& files, bool dry_run);
Result<std::vector<MirrorChange>> remove_mirror(const std::vector<MirrorFile>& files, bool dry_run);

}  // namespace entrepot
