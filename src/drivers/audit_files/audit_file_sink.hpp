#pragma once

#include "ports/audit_store.hpp"

#include <filesystem>

namespace entrepot {

// Appends the records' lines to a file and syncs it. Opened anew for each batch, so that it can be renamed at any time
// (logrotate). Blocks; one thread at a time.
class AuditFileSink final : public AuditSink {
public:
    explicit AuditFileSink(std::filesystem::path file) : file_{std::move(file)} {}
    Result<> send(std::span<const AuditMessage> messages) override;

private:
    std::filesystem::path file_;
};

}  // namespace entrepot
