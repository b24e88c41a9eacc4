#include "drivers/audit_files/audit_file_sink.hpp"

#include "core/bytes.hpp"
#include "drivers/audit_files/audit_file_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {

Result<> AuditFileSink::send(std::span<const AuditMessage> messages)
{
    const OpenFile file{::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (file.descriptor() < 0) return audit_file_failure("open " + file_.string());
    struct stat status{};
    if (::fstat(file.descriptor(), &status) != 0) return audit_file_failure("fstat " + file_.string());
    std::string lines;
    for (const auto& message : messages) {
        lines += message.json;
        lines += '\n';
    }
    auto written = write_audit_file(file.descriptor(), static_cast<std::uint64_t>(status.st_size), lines);
    if (written && ::fdatasync(file.descriptor()) != 0) written = audit_file_failure("sync " + file_.string());
    // No half line stays behind for the next try.
    if (!written && ::ftruncate(file.descriptor(), status.st_size) != 0) {
        return audit_file_failure("truncate " + file_.string());
    }
    return written;
}

}  // namespace entrepot
