#pragma once

#include "api/operations/operations.hpp"
#include "app/background.hpp"
#include "core/metrics.hpp"
#include "ports/blob_store.hpp"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// What alarms need to know and nobody asks for by itself: whether database and store answer, and the room there is.
class HealthMetrics {
public:
    HealthMetrics(OperationsHandler& operations, BlobStoreSpace& store, std::filesystem::path data)
        : operations_{operations}, store_{store}, data_{std::move(data)}
    {
    }

    std::vector<Background::Chore> chores();
    void add_to(MetricsText& text) const;

private:
    Task<> look();

    OperationsHandler& operations_;
    BlobStoreSpace& store_;
    const std::filesystem::path data_;
    mutable std::mutex mutex_;
    std::optional<std::vector<std::string>> failing_;  // not looked at yet
    std::optional<StorageSpace> stored_;               // unknown while the store doesn't say
    std::optional<StorageSpace> local_;
};

}  // namespace entrepot
