#pragma once

#include <optional>
#include <string>

namespace entrepot {

// `entrepot audit verify` and `entrepot audit show`: read the files of the audit trail, with or without a running
// server, and change nothing.
struct AuditVerifyCommand {
    std::string data = "./var";
    std::optional<std::string> directory;  // of the trail, where it is not in the data directory
    std::optional<std::string> database;   // postgresql://…
};

struct AuditShowCommand {
    std::string data = "./var";
    std::optional<std::string> directory;
    std::optional<std::string> since, until;  // RFC 3339, or a duration before now
    std::optional<std::string> user, resource, operation, result;
    unsigned long limit = 0;  // 0: all
};

// Print to standard output and return the exit code: 0, 1 when a chain is broken, 2 when it can't be read.
int run_audit_verify(const AuditVerifyCommand& command);
int run_audit_show(const AuditShowCommand& command);

}  // namespace entrepot
