#pragma once

#include "core/bytes.hpp"
#include "http/message.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

namespace entrepot {

// A request that owns its text.
class FakeRequest final : public Request {
public:
    FakeRequest(Method verb, std::string_view target)
    {
        method = verb;
        const auto mark = target.find('?');
        path = keep(target.substr(0, mark));
        if (mark != std::string_view::npos) query = keep(target.substr(mark + 1));
        origin_.client = "192.0.2.1";
        origin_.authority = "registry.example";
    }

    FakeRequest& with(std::string_view name, std::string_view value)
    {
        headers.push_back({keep(name), keep(value)});
        return *this;
    }
    FakeRequest& with_basic(std::string_view user, std::string_view password)
    {
        const auto text = std::string{user} + ":" + std::string{password};
        return with("Authorization", "Basic " + to_base64(as_bytes(text)));
    }
    FakeRequest& from(std::string client)
    {
        origin_.client = std::move(client);
        return *this;
    }

    const Origin& origin() const override { return origin_; }
    const std::string& request_id() const override { return request_id_; }

private:
    std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

    std::deque<std::string> texts_;
    Origin origin_;
    std::string request_id_ = "test";
};

// A body that is all there.
class StringSource final : public ByteSource {
public:
    explicit StringSource(std::string text = {}) : text_{std::move(text)} {}

    std::optional<std::uint64_t> size() const override { return text_.size(); }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        const auto count = std::min(into.size(), text_.size() - at_);
        std::memcpy(into.data(), text_.data() + at_, count);
        at_ += count;
        co_return count;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

}  // namespace entrepot
