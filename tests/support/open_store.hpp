#pragma once

#include "drivers/sqlite/sqlite_store.hpp"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace entrepot {

// A SQLite store in a directory of its own, for as long as this lives.
class OpenStore {
public:
    explicit OpenStore(const Clock& clock)
    {
        directory_ = std::filesystem::temp_directory_path() / "entrepot-store-XXXXXX";
        if (::mkdtemp(directory_.data()) == nullptr) std::abort();
        SqliteOptions options;
        options.file = directory_ + "/db";
        store_ = open_sqlite_store(options, clock);
    }
    ~OpenStore()
    {
        store_->stop();
        store_.reset();
        std::filesystem::remove_all(directory_);
    }
    OpenStore(const OpenStore&) = delete;
    OpenStore& operator=(const OpenStore&) = delete;
    MetadataStore& operator*() { return *store_; }

private:
    std::string directory_;
    std::unique_ptr<MetadataStore> store_;
};

}  // namespace entrepot
