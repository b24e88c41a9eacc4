#pragma once

#include "core/bytes.hpp"
#include "http/connection.hpp"

namespace entrepot::http {

// A request's body as the handler sees it: received straight into the reader's own memory, on the connection's loop.
class BodyReader final : public ByteSource {
public:
    explicit BodyReader(Connection& connection) noexcept : connection_{connection}, size_{connection.body_.remaining()}
    {
    }

    std::optional<std::uint64_t> size() const override { return size_; }
    Task<std::size_t> read(std::span<std::byte> into) override;

private:
    Result<std::size_t> outcome() const;
    Task<> invite();
    Task<> wait(bool for_read);

    Connection& connection_;
    std::optional<std::uint64_t> size_;
    std::size_t unbroken_ = 0;  // bytes read since others last had their turn
};

}  // namespace entrepot::http
