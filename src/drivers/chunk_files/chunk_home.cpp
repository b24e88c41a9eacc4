#include "drivers/chunk_files/chunk_home.hpp"

#include "core/log.hpp"

namespace entrepot {

Result<> WritePause::may_write() const
{
    const std::lock_guard guard{mutex_};
    if (!error_) return {};
    const auto now = clock_.steady();
    if (now >= until_) return {};
    Error error = *error_;
    error.set_retry_after(std::chrono::ceil<std::chrono::seconds>(until_ - now));
    return std::unexpected{std::move(error)};
}

std::unexpected<Error> WritePause::begin(Error error)
{
    const std::lock_guard guard{mutex_};
    const auto now = clock_.steady();
    if (!error_ || now >= until_) {
        log::failure(log::Level::error, "write to the chunk store, which is only read for a while now", error);
        error_ = error;
        until_ = now + length_;
    }
    error.set_retry_after(length_);
    return std::unexpected{std::move(error)};
}

}  // namespace entrepot
